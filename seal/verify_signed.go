package seal

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tooltrail/tooltrail/audit"
)

// A mark is a checkpoint that the log key signed.
type mark struct {
	Checkpoint
	what   string // for people
	anchor bool
	cosign bool // somebody else has signed it, too
	epoch  uint64
	at     time.Time
	signed []byte
}

// readSigned reads everything that is signed and checks the log's signatures.
func (v *verification) readSigned() error {
	var err error
	v.newest, err = readFile(filepath.Join(v.dir, checkpointName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	history, err := readWhole(filepath.Join(v.dir, historyName))
	if err != nil {
		return err
	}
	if len(bytes.Trim(v.newest, "\x00")) > 0 {
		v.addMark(v.newest, "the newest checkpoint", false)
	}
	v.readHistory(history)
	for _, a := range v.opts.Anchors {
		v.addMark(a.Signed, "the anchor "+a.Name, true)
	}
	if v.report.Origin == "" && len(v.report.Findings) == 0 {
		v.says(KindNoCheckpoint, "there is no checkpoint: the trail was never sealed, or its seal was removed")
	}
	slices.SortStableFunc(v.marks, func(a, b mark) int { return cmp.Or(cmp.Compare(a.Size, b.Size), cmp.Compare(a.epoch, b.epoch)) })
	v.checkForks()
	v.findNewest()
	return nil
}

// readWhole reads a file of any size; nil where there is none.
func readWhole(path string) ([]byte, error) {
	f, err := openRead(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(f)
	return b.Bytes(), err
}

// readHistory reads the history. Each line must be just as it was written.
func (v *verification) readHistory(b []byte) {
	last := uint64(0)
	for number := 1; len(b) > 0; number++ {
		line, rest, whole := bytes.Cut(b, newline)
		if !whole {
			v.historyTorn = true
			return
		}
		b = rest
		e, err := parseEntry(line)
		if err != nil {
			v.says(KindHistoryDamaged, "%s, line %d: %v", historyName, number, err)
			continue
		}
		m, ok := v.addMark([]byte(e.Note), fmt.Sprintf("checkpoint %d of the history", number), false)
		if !ok {
			continue
		}
		switch {
		case m.Size != e.Size || string(audit.AppendTime(nil, m.at)) != e.Time:
			v.says(KindHistoryDamaged, "%s, line %d: size or time is not that of the checkpoint", historyName, number)
		case !m.cosign && m.Size < last:
			v.says(KindHistoryDamaged, "%s, line %d: the size goes down from %d to %d", historyName, number, last, m.Size)
		}
		last = max(last, m.Size)
		v.historyLast = last
	}
}

// addMark verifies a signed checkpoint and keeps it.
func (v *verification) addMark(signed []byte, what string, anchor bool) (mark, bool) {
	c, err := PeekCheckpoint(signed)
	if err != nil {
		v.says(KindCheckpointInvalid, "%s cannot be read: %v", what, err)
		return mark{}, false
	}
	if v.report.Origin == "" {
		v.report.Origin = c.Origin
	}
	if c.Origin != v.report.Origin {
		v.says(KindCheckpointInvalid, "%s is of another log, %s", what, c.Origin)
		return mark{}, false
	}
	known := v.verifiers(c.Origin)
	if known == nil {
		v.says(KindKeyUnknown, "%s: no key that is trusted belongs to the log %s", what, c.Origin)
		return mark{}, false
	}
	_, n, err := OpenCheckpoint(signed, known)
	if err != nil {
		v.says(KindCheckpointInvalid, "%s is not signed by the log's key: %v", what, err)
		return mark{}, false
	}
	m := mark{Checkpoint: c, what: what, anchor: anchor, signed: signed}
	if m.epoch, m.at, err = epochOf(signed); err != nil {
		v.says(KindEpochBroken, "%s is not signed by an epoch's key", what)
		return mark{}, false
	}
	if !anchor && string(canonical(signed)) != string(signed) {
		v.says(KindCheckpointInvalid, "%s is not written as it was signed", what)
	}
	m.cosign = len(n.Sigs)+len(n.UnverifiedSigs) > 2 && !v.onlyOwn(n, c.Origin)
	v.marks = append(v.marks, m)
	return m, true
}

// canonical returns a signed note with nothing before or behind what package
// note looks at.
func canonical(signed []byte) []byte {
	_, err := note.Open(signed, note.VerifierList())
	var unverified *note.UnverifiedNoteError
	if err == nil || !errors.As(err, &unverified) {
		return nil
	}
	n := unverified.Note
	var b bytes.Buffer
	b.WriteString(n.Text + "\n")
	for _, s := range n.UnverifiedSigs {
		sig, _ := base64.StdEncoding.DecodeString(s.Base64)
		fmt.Fprintf(&b, "— %s %s\n", s.Name, base64.StdEncoding.EncodeToString(sig))
	}
	return b.Bytes()
}

// onlyOwn reports whether all signatures are the log's or an epoch's.
func (v *verification) onlyOwn(n *note.Note, origin string) bool {
	for _, s := range slices.Concat(n.Sigs, n.UnverifiedSigs) {
		if s.Name != origin && !strings.HasPrefix(s.Name, origin+epochInfix) {
			return false
		}
	}
	return true
}

// verifiers returns the trusted keys of a log; nil if there are none.
func (v *verification) verifiers(origin string) note.Verifiers {
	list := LogVerifiers(v.opts.Keys, origin)
	if len(list) == 0 {
		return nil
	}
	return note.VerifierList(list...)
}

// checkForks looks for two checkpoints of one size and different roots: proof,
// signed, that the log was forked.
func (v *verification) checkForks() {
	for i := 1; i < len(v.marks); i++ {
		a, b := v.marks[i-1], v.marks[i]
		if a.Size == b.Size && a.Root != b.Root {
			v.find(Finding{Kind: KindFork, Line: a.Size,
				Says: fmt.Sprintf("%s and %s are both signed, for %d lines, and differ", a.what, b.what, a.Size)})
		}
	}
}

// findNewest finds the checkpoint that says how much is sealed.
func (v *verification) findNewest() {
	for _, m := range v.marks {
		if !m.anchor && m.Size >= v.report.Sealed {
			v.report.Sealed = m.Size
			if m.at.After(v.report.SealedAt) {
				v.report.SealedAt = m.at
			}
		}
	}
}
