package seal

import (
	"errors"
	"path/filepath"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// A weight says how much depends on a checkpoint.
type weight int

const (
	passing weight = iota // another will follow soon
	lasting               // it must be in the history, and durable
)

// runSigner signs what is durable, and changes the epoch. It is the goroutine
// that Begin starts and End ends.
func (s *Sealer) runSigner() {
	defer close(s.signer)
	epochs := time.NewTimer(s.untilEpoch())
	defer epochs.Stop()
	for {
		var err error
		select {
		case <-s.stop:
			return
		case <-s.wake:
			err = s.signNew()
		case <-epochs.C:
			err = s.nextEpoch()
		}
		pause := s.opts.Every
		if errors.Is(err, errStopping) {
			return
		}
		if err != nil {
			s.fail(err)
			pause = retryEvery
			s.wakeSigner()
		} else {
			s.well()
		}
		epochs.Reset(s.untilEpoch())
		select {
		case <-s.stop:
			return
		case <-time.After(pause):
		}
	}
}

// signNew signs what has become durable since the last checkpoint.
func (s *Sealer) signNew() error {
	if err := s.sayFirst(); err != nil {
		return err
	}
	if s.epoch.Epoch == 0 || s.epoch.Next != nil {
		return s.nextEpoch()
	}
	size, err := s.ready()
	if err != nil || size <= s.signed.Size {
		return err
	}
	return s.sign(passing)
}

// ready returns how many lines may be signed: they are durable and hashed.
func (s *Sealer) ready() (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.final != nil {
		return 0, s.final
	}
	return min(s.durable, s.hashed, s.rewindTo), nil
}

// sign makes and publishes a checkpoint of all that may be signed. It is never
// smaller than the last.
func (s *Sealer) sign(w weight) error {
	s.growing.Lock()
	size, err := s.ready()
	if err != nil || size < s.signed.Size || s.epoch.signer == nil {
		s.growing.Unlock()
		return err
	}
	root, err := s.root(size)
	s.growing.Unlock()
	if err != nil {
		return err
	}
	c := Checkpoint{s.origin, size, root}
	now := s.opts.Now()
	signed, err := note.Sign(&note.Note{Text: c.String()}, append(s.keys[:len(s.keys):len(s.keys)], s.epoch.signer.at(now))...)
	if err != nil {
		return err
	}
	if w == lasting || s.history.due(c.Size, now) {
		if err := s.history.add(c.Size, now, signed, w == lasting); err != nil {
			return err
		}
	}
	if err := s.publish(signed, w); err != nil {
		return err
	}
	s.signed = c
	s.mu.Lock()
	s.status.Sealed, s.status.At, s.status.Epoch = c.Size, now, s.epoch.Epoch
	s.mu.Unlock()
	return nil
}

// syncTree makes durable what is in the tree.
func (s *Sealer) syncTree() error {
	s.growing.Lock()
	defer s.growing.Unlock()
	return s.tree.sync()
}

func (s *Sealer) root(size uint64) (h [32]byte, err error) {
	t, err := OpenTree(s.dir)
	if err != nil {
		return h, err
	}
	defer t.Close()
	return t.Root(size)
}

// publish puts a checkpoint where readers look for the newest. Only a lasting
// one is worth a sync: after a power cut an older one serves as well.
func (s *Sealer) publish(signed []byte, w weight) error {
	path := filepath.Join(s.dir, checkpointName)
	if w == lasting {
		return s.fs.WriteFile(path, signed)
	}
	return s.fs.Publish(path, signed)
}

// Anchored adds a checkpoint of this trail that witnesses have cosigned to the
// history. It may be called at any time between Begin and End.
func (s *Sealer) Anchored(signed []byte) error {
	c, err := PeekCheckpoint(signed)
	if err != nil {
		return err
	}
	_, at, err := epochOf(signed)
	if err != nil {
		return err
	}
	return s.history.add(c.Size, at, signed, true)
}
