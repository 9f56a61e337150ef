package seal

import (
	"errors"
	"fmt"
	"time"

	"github.com/tooltrail/tooltrail/trail"
)

// runHasher hashes lines as they arrive. It is the goroutine that Begin starts
// and End ends, once all is hashed.
func (s *Sealer) runHasher() {
	defer close(s.hasher)
	for {
		b, more := s.take()
		if !more {
			return
		}
		var err error
		if b != nil {
			err = s.hash(b)
		} else {
			err = s.catchUp()
		}
		if err == nil {
			s.wakeSigner()
			continue
		}
		s.fail(err)
		s.fallBehind()
		if s.isEnding() {
			return
		}
		select { // the disk is full, or worse; the lines are in the trail
		case <-s.stop:
		case <-time.After(retryEvery):
		}
	}
}

// retryEvery is how long hashing and signing wait after a failure.
const retryEvery = time.Second

// take waits for work: a block, or nil to catch up. At the end there is none.
func (s *Sealer) take() (b *block, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.blocks) == 0 && !s.behind && !s.ending {
		s.arrived.Wait()
	}
	if len(s.blocks) > 0 {
		b = s.blocks[0]
		s.blocks = s.blocks[1:]
		s.queued -= len(b.buf) - 1
		return b, true
	}
	return nil, s.behind && s.final == nil
}

func (s *Sealer) isEnding() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ending
}

// hash puts a block into the tree.
func (s *Sealer) hash(b *block) error {
	s.growing.Lock()
	defer s.growing.Unlock()
	if b.first != s.tree.size() {
		return s.giveUp(fmt.Errorf("seal: line %d follows line %d", b.first, s.tree.size()))
	}
	eachLeaf(b.buf, s.tree.append)
	if err := s.tree.flush(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hashed = b.first + b.lines
	s.spare = append(s.spare, b)
	return nil
}

// fallBehind leaves everything that is not hashed to catchUp.
func (s *Sealer) fallBehind() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.behind, s.blocks, s.queued = true, nil, 0
}

// catchUp hashes lines that are in the trail and not in the tree. Those that are
// left are for the next call: in between the signer gets its turn.
func (s *Sealer) catchUp() error {
	s.growing.Lock()
	defer s.growing.Unlock()
	from, to, err := s.gap()
	if err != nil || from == to {
		return err
	}
	to = min(to, from+catchUpLines)
	if err := s.tree.cut(from); err != nil {
		return err
	}
	if err := hashLines(s.tree, s.dir, from, to); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rewindTo == noRewind {
		s.hashed = to
	}
	return nil
}

// catchUpLines is how many lines are hashed in one go, some 100 ms of work.
const catchUpLines = 1 << 17

// gap returns which lines are to be hashed; when there are none, those to come
// are queued again.
func (s *Sealer) gap() (from, to uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rewindTo < s.status.Sealed {
		return 0, 0, s.giveUpLocked(fmt.Errorf("seal: lines from %d on were lost although they were sealed", s.rewindTo))
	}
	s.hashed = min(s.hashed, s.rewindTo)
	s.rewindTo = noRewind
	if s.hashed == s.next {
		s.behind = false
	}
	return s.hashed, s.next, nil
}

// giveUp ends sealing: nothing that was said before can be unsaid.
func (s *Sealer) giveUp(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.giveUpLocked(err)
}

func (s *Sealer) giveUpLocked(err error) error {
	s.final = err
	return err
}

var errLinesGone = errors.New("lines are missing")

// hashLines reads lines from the trail and appends them to the tree.
func hashLines(tree *grower, dir string, from, to uint64) error {
	next := from
	buf := []byte{0}
	for line, err := range trail.Read(dir, &trail.ReadOptions{From: from}) {
		if next == to {
			break
		}
		if err != nil {
			return fmt.Errorf("seal: %w", err)
		}
		if line.Index != next {
			return fmt.Errorf("seal: %s: line %d: %w", dir, next, errLinesGone)
		}
		buf = append(append(buf[:1], line.Bytes...), '\n')
		eachLeaf(buf, tree.append)
		next++
		if next%flushEvery == 0 {
			if err := tree.flush(); err != nil {
				return err
			}
		}
	}
	if next != to {
		return fmt.Errorf("seal: %s: line %d: %w", dir, next, errLinesGone)
	}
	return tree.flush()
}

// flushEvery bounds, in lines, what is held in memory.
const flushEvery = 1 << 14
