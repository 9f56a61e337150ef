package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	signed "golang.org/x/mod/sumdb/note"

	"github.com/tooltrail/tooltrail/internal/config"
	"github.com/tooltrail/tooltrail/internal/term"
	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/trail"
)

func newKeyRotateCmd(a *app) *cobra.Command {
	var dir string
	var finish bool
	cmd := &cobra.Command{
		Use:   "rotate [--trail DIR] [--finish]",
		Short: "Replace the key by another",
		Long: `Make another key of the same name. From the next start of a recorder on, both
sign; when all who verify have the new key, --finish erases the old one.

Who verifies keeps the old public key too: what it sealed alone, it still does.
If somebody else may have had the old key, keep a checkpoint from before
elsewhere, and verify with --anchor.`,
		Example: "  tooltrail key rotate\n  tooltrail key rotate --finish",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.keyRotate(cmd.Context(), dir, finish) },
	}
	trailFlag(cmd, &dir)
	cmd.Flags().BoolVar(&finish, "finish", false, "erase the old key")
	return cmd
}

func (a *app) keyRotate(ctx context.Context, dir string, finish bool) error {
	r, err := a.ring(dir)
	if err != nil {
		return err
	}
	if finish {
		return a.finishRotation(ctx, r)
	}
	key, err := r.Rotate()
	switch {
	case errors.Is(err, config.ErrRotating):
		return &hintError{err, "tooltrail key rotate --finish"}
	case errors.Is(err, fs.ErrNotExist):
		return a.noKey(r, err)
	case err != nil:
		return &hintError{err, keyHint(err)}
	}
	return a.sayKey(r, key, "replaced; both keys sign until 'tooltrail key rotate --finish'")
}

// finishRotation erases the old key, when the new one has sealed every trail
// of the home: what only the old key has signed could not be continued.
func (a *app) finishRotation(ctx context.Context, r *config.KeyRing) error {
	keys, err := r.Existing()
	if err != nil {
		return a.noKey(r, err)
	}
	dirs, err := trail.Find(r.Home)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, trail.ErrNotTrail) {
		return err
	}
	for _, dir := range dirs {
		if len(keys) < 2 || sealedWith(dir, keys[0]) {
			continue
		}
		if err := a.sealAgain(ctx, dir, keys); err != nil {
			return err
		}
	}
	was, err := r.FinishRotation()
	switch {
	case err != nil:
		return err
	case !was:
		return &hintError{errors.New("no rotation is under way"), "tooltrail key rotate"}
	}
	fmt.Fprintln(a.stderr, "the old key is erased; recorders that run still sign with both")
	return nil
}

// sealedWith reports whether a key has signed all that is sealed of a trail.
// It has, where nothing is, and where it is another log's key.
func sealedWith(dir string, key *seal.Key) bool {
	text, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	origin := originOf(dir)
	if !strings.HasPrefix(origin, key.Name+"/") {
		return origin != ""
	}
	v, err := signed.NewVerifier(key.Named(origin).VKey())
	if err != nil {
		return false
	}
	_, _, err = seal.OpenCheckpoint(text, signed.VerifierList(v))
	return err == nil
}

// sealAgain has both keys sign a trail that nobody is writing.
func (a *app) sealAgain(ctx context.Context, dir string, keys []*seal.Key) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	_, err := openAndClose(ctx, dir, &seal.Options{Keys: keys})
	name := filepath.Base(dir)
	var inUse *trail.InUseError
	var refused *trail.RefusedError
	switch {
	case err == nil:
		fmt.Fprintf(a.stderr, "%s is sealed with the new key, too\n", term.Safe(name))
		return nil
	case errors.As(err, &inUse):
		return &hintError{fmt.Errorf("%s is being recorded with the old key; nothing was erased", name), "start its recorder again, then: tooltrail key rotate --finish"}
	case errors.As(err, &refused):
		return &hintError{fmt.Errorf("%s cannot be sealed with the new key: %w; nothing was erased", name, refused.Err), "tooltrail verify --trail " + quotePath(dir)}
	}
	return err
}
