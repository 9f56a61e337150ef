package audit

import (
	"slices"
	"sync"
	"sync/atomic"
)

const (
	// batchBytes is the size at which a batch is written. At 128 KiB a write
	// costs less per event than anything else in its path.
	batchBytes = 128 << 10
	// backlogBatches is how many full batches may wait for the writer. One
	// write in a hundred takes ten times the median on a healthy disk; in
	// that time two callers make some 2,000 events, and these must go
	// somewhere.
	backlogBatches = 16
	// helpEvents is how many events a caller encodes for the drain at most;
	// at 0.2 µs each, captured content apart, it stays under a microsecond.
	helpEvents = 2
)

// A stage is where events become lines: the consumer's side of the ring.
// Usually the drain encodes; above half full, callers help.
type stage struct {
	q *Queue

	wanted  atomic.Bool // the drain waits for mu
	mu      sync.Mutex
	encoder encoder   // guarded by mu
	head    uint64    // guarded by mu: next ticket to take
	seq     uint64    // guarded by mu: number of the next event
	seen    uint64    // guarded by mu: dropped events that have a number
	filling *buffer   // guarded by mu: takes the next lines
	full    []*buffer // guarded by mu: wait for the writer, in order
	spare   []*buffer // guarded by mu: empty
}

// A buffer is a batch in the making.
type buffer struct {
	bytes   []byte
	lines   int
	waiters []*waiter
}

func newBuffer() *buffer { return &buffer{bytes: make([]byte, 0, batchBytes+4<<10)} }

func (s *stage) init(q *Queue, firstSeq uint64) {
	s.q, s.seq = q, firstSeq
	s.filling = newBuffer()
}

// encode turns at most limit events into lines, while there is room for them.
// The caller holds mu.
func (s *stage) encode(limit int) {
	for range limit {
		slot := s.q.ring.next(s.head)
		if slot == nil || !s.makeRoom() {
			break
		}
		s.encodeSlot(s.filling, slot)
		if slot.charge > 0 {
			s.q.heavy.Add(-slot.charge)
		}
		s.q.ring.release(slot, s.head)
		s.head++
	}
	s.q.ring.head.Store(s.head)
}

// makeRoom sees to it that the filling buffer has room, and reports whether it
// could. The caller holds mu.
func (s *stage) makeRoom() bool {
	if len(s.filling.bytes) < batchBytes {
		return true
	}
	if len(s.full) == backlogBatches {
		return false
	}
	s.full = append(s.full, s.filling)
	s.filling = s.empty()
	return true
}

// empty returns a buffer to fill. The caller holds mu.
func (s *stage) empty() *buffer {
	last := len(s.spare) - 1
	if last < 0 {
		return newBuffer()
	}
	b := s.spare[last]
	s.spare = s.spare[:last]
	return b
}

// lock is for the drain, which goes before callers that help: they would keep
// a mutex busy that is free for moments only.
func (s *stage) lock() {
	s.wanted.Store(true)
	s.mu.Lock()
	s.wanted.Store(false)
}

// tryLock is for callers.
func (s *stage) tryLock() bool { return !s.wanted.Load() && s.mu.TryLock() }

// take returns the oldest batch that is not written yet, or nil.
func (s *stage) take() *buffer {
	s.lock()
	defer s.mu.Unlock()
	if len(s.full) == 0 {
		s.encode(len(s.q.ring.slots))
	}
	if len(s.full) > 0 {
		b := s.full[0]
		s.full = slices.Delete(s.full, 0, 1)
		return b
	}
	if s.filling.lines == 0 {
		return nil
	}
	b := s.filling
	s.filling = s.empty()
	return b
}

// recycle takes back a batch that is dealt with.
func (s *stage) recycle(b *buffer) {
	clear(b.waiters)
	b.bytes, b.lines, b.waiters = b.bytes[:0], 0, b.waiters[:0]
	s.lock()
	defer s.mu.Unlock()
	s.spare = append(s.spare, b)
}

// trim gives back the memory of a burst.
func (s *stage) trim() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.spare) > 1 {
		clear(s.spare[1:])
		s.spare = s.spare[:1]
	}
}

func (s *stage) encodeSlot(b *buffer, slot *slot) {
	ev := &slot.ev
	ev.Lost = s.declare(slot.dropped)
	ev.Seq = s.seq
	s.seq++
	b.bytes = s.encoder.append(b.bytes, ev)
	b.bytes = append(b.bytes, '\n')
	if slot.waiter != nil {
		slot.waiter.line = b.lines
		b.waiters = append(b.waiters, slot.waiter)
	}
	b.lines++
}

// declare gives numbers to the events dropped so far and returns the
// declaration, or nil if there is nothing new. The caller holds mu.
func (s *stage) declare(dropped uint64) *Lost {
	if dropped <= s.seen {
		return nil
	}
	l := s.q.lost.take(dropped - s.seen)
	s.seen = dropped
	s.seq += l.Count
	return l
}

// rest returns the declaration of what was dropped since the last event, and
// the number of the last event, lost or not. It is not ok while lines wait,
// since a note with it must come behind them.
func (s *stage) rest() (l *Lost, seq uint64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.filling.lines > 0 || len(s.full) > 0 {
		return nil, 0, false
	}
	l = s.declare(s.q.counters.dropped.Load())
	return l, s.seq - 1, true
}

// done reports whether nothing is left to write.
func (s *stage) done() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.filling.lines == 0 && len(s.full) == 0 && s.q.ring.next(s.head) == nil
}
