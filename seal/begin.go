package seal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/tooltrail/tooltrail/internal/durable"
	"github.com/tooltrail/tooltrail/trail"
)

// A BrokenError says why a sealed trail cannot be continued.
type BrokenError struct {
	// Sealed is the size of the newest checkpoint.
	Sealed uint64
	// First is the index of the first line that is missing or wrong, as far as
	// that was found out; [seal.Verify] finds out more.
	First uint64
	// Err is the reason.
	Err error
}

// Error says what is wrong.
func (e *BrokenError) Error() string {
	return fmt.Sprintf("seal: of %d sealed lines, line %d: %v", e.Sealed, e.First, e.Err)
}

// Unwrap returns the reason.
func (e *BrokenError) Unwrap() error { return e.Err }

// The reasons of a [BrokenError].
var (
	// ErrMissing: sealed lines are not there any more.
	ErrMissing = errors.New("sealed lines are missing")
	// ErrChanged: the lines are not those that were sealed.
	ErrChanged = errors.New("the lines are not those that were sealed")
	// ErrNoCheckpoint: the trail was sealed and its checkpoints are gone.
	ErrNoCheckpoint = errors.New("the checkpoints are gone")
)

// ErrForeignKey says that a trail was sealed with another key.
var ErrForeignKey = errors.New("the trail was sealed with another log key")

// Begin implements [trail.Sealer]. It looks at what was sealed: the newest
// checkpoint, the right edge of the tree, that no segment is missing; it
// hashes the lines behind the checkpoint. Trouble with the lines is a
// [*BrokenError]. All lines are looked at by [Verify] only.
func (s *Sealer) Begin(t *trail.Trail, next uint64) (at uint64, err error) {
	if len(s.opts.Keys) == 0 {
		return 0, errors.New("seal: there is no key")
	}
	s.trail, s.dir = t, t.Dir()
	s.signed, s.given = Checkpoint{}, nil // another trail may have been refused before
	s.accepted = loadAccepted(s.dir)
	epoch, known, err := loadEpoch(s.dir)
	if err != nil {
		return 0, err
	}
	if err := s.findSealed(epoch, known, t.Name()); err != nil {
		return 0, err
	}
	if err := s.restore(next); err != nil {
		if at, err = s.accept(next, err); err != nil {
			return 0, err
		}
		next = at
	}
	if err := s.openRest(epoch, known, next); err != nil {
		s.tree.close()
		return 0, err
	}
	s.begin(next)
	return next, nil
}

// findSealed reads the newest checkpoint, and makes the signers.
func (s *Sealer) findSealed(epoch epochState, known bool, slot string) error {
	newest, err := newestCheckpoint(s.dir)
	if err != nil {
		return err
	}
	if err := s.identify(newest, epoch, slot); err != nil {
		return err
	}
	if newest == nil {
		if known && epoch.Epoch > 0 {
			return &BrokenError{Err: ErrNoCheckpoint}
		}
		return nil
	}
	if s.signed, _, err = OpenCheckpoint(newest, s.verifiers()); err != nil {
		return fmt.Errorf("seal: %s: %w", filepath.Join(s.dir, checkpointName), err)
	}
	return nil
}

// identify finds the origin, and makes the signers for it.
func (s *Sealer) identify(newest []byte, epoch epochState, slot string) error {
	name := s.opts.Keys[0].Name
	s.origin = name + "/" + slot
	if c, err := PeekCheckpoint(s.opts.Continues); err == nil {
		s.origin = NextOrigin(c.Origin, slot)
	}
	if c, err := PeekCheckpoint(newest); err == nil {
		s.origin = c.Origin
	} else if epoch.Origin != "" {
		s.origin = epoch.Origin
	}
	if !strings.HasPrefix(s.origin, name+"/") {
		return fmt.Errorf("%w: its origin is %s, the key's name is %s", ErrForeignKey, s.origin, name)
	}
	s.keys = nil
	for _, k := range s.opts.Keys {
		s.keys = append(s.keys, k.Named(s.origin).Signer())
	}
	return nil
}

// verifiers returns those of the log's keys.
func (s *Sealer) verifiers() note.Verifiers {
	var list []note.Verifier
	for _, k := range s.opts.Keys {
		if v, err := note.NewVerifier(k.Named(s.origin).VKey()); err == nil {
			list = append(list, v)
		}
	}
	return note.VerifierList(list...)
}

// newestCheckpoint returns the newest checkpoint on disk: that of the file, or
// the last of the history where a power cut took the file's content. It is nil
// for a trail without any.
func newestCheckpoint(dir string) ([]byte, error) {
	b, err := readFile(filepath.Join(dir, checkpointName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("seal: %w", err)
	}
	last := lastOfHistory(dir)
	if len(bytes.Trim(b, "\x00")) == 0 {
		return last, nil
	}
	c, err := PeekCheckpoint(b)
	if err != nil {
		return nil, fmt.Errorf("seal: %s: %w", filepath.Join(dir, checkpointName), err)
	}
	if h, err := PeekCheckpoint(last); err == nil && h.Size > c.Size {
		return last, nil
	}
	return b, nil
}

func readFile(path string) ([]byte, error) {
	f, err := durable.OpenRead(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	b := make([]byte, min(info.Size(), 1<<20))
	n, err := f.ReadAt(b, 0)
	if n == len(b) {
		err = nil
	}
	return b[:n], err
}

// openRest opens the history, and finds out which key signs.
func (s *Sealer) openRest(epoch epochState, known bool, next uint64) (err error) {
	if s.history.file, s.history.end, err = openHistory(s.fs, s.dir); err != nil {
		return err
	}
	s.history.size = s.signed.Size
	if s.epoch, err = s.resume(epoch, known, next); err != nil {
		_ = s.history.close()
	}
	return err
}

// begin starts the hasher.
func (s *Sealer) begin(next uint64) {
	s.wake, s.stop = make(chan struct{}, 1), make(chan struct{})
	s.hasher, s.signer = make(chan struct{}), make(chan struct{})
	s.next, s.hashed = next, next
	s.status = Status{Origin: s.origin, Sealed: s.signed.Size, Epoch: s.epoch.Epoch}
	go s.runHasher()
}

// Start implements [trail.Sealer]. A trail that has no key that signs yet gets
// its first, so that also the shortest one is sealed.
func (s *Sealer) Start() {
	s.started = true
	if err := s.sayFirst(); err != nil {
		s.fail(err)
	}
	if s.epoch.Epoch == 0 || s.epoch.Next != nil {
		if err := s.nextEpoch(); err != nil {
			s.fail(err)
			s.wakeSigner()
		}
	}
	go s.runSigner()
}
