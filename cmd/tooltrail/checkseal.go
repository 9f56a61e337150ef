package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	signed "golang.org/x/mod/sumdb/note"

	"github.com/tooltrail/tooltrail/internal/config"
	"github.com/tooltrail/tooltrail/seal"
)

// sealOverdue is how old the newest checkpoint of a trail that is being written
// may be: with each epoch, once a minute, there is one.
const sealOverdue = 3 * time.Minute

// checkKeys looks at the keys that seal, and returns those that there are.
func checkKeys(c *checkup, r *config.KeyRing, dirs []string) []*seal.Key {
	keys, err := r.Existing()
	var exposed *config.ExposedError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if slices.ContainsFunc(dirs, wasSealed) {
			c.add("keys", wrong, "put it back from a copy, or name its folder in TOOLTRAIL_KEYS",
				"the log key %s is not there: sealed trails cannot be continued", r.LogKeyPath())
		}
		return nil
	case errors.As(err, &exposed):
		c.add("keys", wrong, "chmod 600 "+quotePath(exposed.Path)+"; if somebody may have read it: tooltrail key rotate", "%v", err)
		return nil
	case err != nil:
		c.add("keys", wrong, keyHint(err), "%v", err)
		return nil
	}
	checkPins(c, r, keys[0])
	if len(keys) > 1 {
		c.add("keys", hint, "tooltrail key rotate --finish, when all who verify have the new key", "two log keys sign")
	}
	return keys
}

// checkPins compares the log key with what the user trusts.
func checkPins(c *checkup, r *config.KeyRing, key *seal.Key) {
	trusted, err := r.Trusted()
	switch {
	case err != nil:
		c.add("keys", wrong, keyHint(err), "%v", err)
	case r.Replaced(key):
		c.add("keys", wrong, "find out who has replaced it; verify with a checkpoint that was kept elsewhere",
			"the log key %s is not one of those that are trusted for this home in %s", r.LogKeyPath(), r.Pins)
	case !slices.Contains(trusted, key.VKey()):
		c.add("keys", hint, "tooltrail verify --key KEY, with the key from where it was made; or put it into trusted-keys, if you know that it is yours (tooltrail key --help)",
			"the log key %s is not trusted here", r.LogKeyPath())
	default:
		c.add("keys", fine, "", "%s; trusted in %s", r.LogKeyPath(), r.Pins)
	}
}

// wasSealed reports whether there is anything of a seal.
func wasSealed(dir string) bool {
	for _, name := range []string{"checkpoint", "checkpoints.jsonl", "tree", epochKeyFile} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}

var epochKeyFile = filepath.Join("state", "epoch.key")

// checkSeal looks at how far a trail is sealed, and whether its next writer
// will go on with it. Whether the lines are those that were sealed is
// verification's to say.
func (a *app) checkSeal(c *checkup, name, dir string, e trailEnd, keys []*seal.Key) {
	text, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	switch {
	case errors.Is(err, fs.ErrNotExist) && !wasSealed(dir):
		c.add(name, hint, "record without --no-seal", "not sealed: who may write the files can change them without a trace")
		return
	case errors.Is(err, fs.ErrNotExist):
		c.add(name, wrong, verifyHint(dir), "it was sealed, and its checkpoint is gone")
		return
	case err != nil:
		c.add(name, wrong, "read it as the user who recorded it", "%v", err)
		return
	}
	newest, err := seal.PeekCheckpoint(text)
	if err != nil {
		c.add(name, wrong, verifyHint(dir), "its checkpoint cannot be read: %v", err)
		return
	}
	checkContinues(c, name, dir, e, keys, text)
	if newest.Size > e.lines {
		c.add(name, wrong, verifyHint(dir), "of %d sealed lines there are %d: it is not recorded into any more", newest.Size, e.lines)
		return
	}
	at := sealTime(text, newest.Origin)
	if age := a.now().Sub(at); e.running && age > sealOverdue {
		c.add(name, wrong, "look at the standard error of process "+fmt.Sprint(e.pid), "it is being written, and was last sealed %s ago", age.Truncate(time.Second))
		return
	}
	c.add(name, fine, "", "sealed up to line %d%s%s", newest.Size, agoClause(a.now().Sub(at)), unsealedClause(e, newest.Size))
}

func agoClause(ago time.Duration) string {
	if ago < time.Second {
		return ", now"
	}
	if ago < 48*time.Hour {
		return fmt.Sprintf(", %s ago", ago.Truncate(time.Second))
	}
	return fmt.Sprintf(", %d days ago", int(ago.Hours()/24))
}

func unsealedClause(e trailEnd, sealed uint64) string {
	n := e.lines - sealed
	switch {
	case n == 0:
		return ""
	case e.running:
		return fmt.Sprintf("; %s to come", plural(n, "line"))
	}
	return fmt.Sprintf("; %s behind it will be when it is recorded into again", pluralVerb(n, "line", "lines"))
}

func verifyHint(dir string) string { return "tooltrail verify --trail " + quotePath(dir) }

// checkContinues looks for what keeps the next writer from going on.
func checkContinues(c *checkup, name, dir string, e trailEnd, keys []*seal.Key, text []byte) {
	if info, err := os.Lstat(filepath.Join(dir, epochKeyFile)); err == nil && openToOthers(info) {
		c.add(name, wrong, "chmod -R go= "+quotePath(dir), "others may read the key of the epoch")
	} else if errors.Is(err, fs.ErrNotExist) && !e.running {
		c.add(name, hint, "put state/epoch.key back if you have it", "the key of the epoch is gone; the next writer begins another, and verification will report that")
	}
	if len(keys) == 0 {
		return
	}
	known := make([]signed.Verifier, 0, len(keys))
	for _, k := range keys {
		if v, err := signed.NewVerifier(k.Named(originOf(dir)).VKey()); err == nil {
			known = append(known, v)
		}
	}
	if _, _, err := seal.OpenCheckpoint(text, signed.VerifierList(known...)); err != nil || !strings.HasPrefix(originOf(dir), keys[0].Name+"/") {
		c.add(name, wrong, "put the log key back that sealed it; until then the calls go into another folder",
			"it was not sealed with this home's log key, and is not recorded into any more")
	}
}

// sealTime returns when a checkpoint was signed, as its epoch's key says.
func sealTime(text []byte, origin string) time.Time {
	var unverified *signed.UnverifiedNoteError
	if _, err := signed.Open(text, signed.VerifierList()); !errors.As(err, &unverified) {
		return time.Time{}
	}
	for _, s := range unverified.Note.UnverifiedSigs {
		if strings.HasPrefix(s.Name, origin+"/epoch/") {
			if at, err := seal.CosignatureTime(s); err == nil {
				return at
			}
		}
	}
	return time.Time{}
}
