package audit

import "sync"

const (
	// batchBytes is the size at which a batch is written. At 128 KiB a write
	// costs less per event than anything else in its path.
	batchBytes = 128 << 10
	// helpEvents is how many events a caller encodes for the drain at most;
	// at 0.1 µs each it stays well under 2 µs.
	helpEvents = 8
)

// A stage is where events become lines: the consumer's side of the ring.
// Usually the drain encodes; above half full, callers help.
type stage struct {
	q *Queue

	mu      sync.Mutex
	encoder encoder // guarded by mu
	head    uint64  // guarded by mu: next ticket to take
	seq     uint64  // guarded by mu: number of the next event
	seen    uint64  // guarded by mu: dropped events that have a number
	filling *buffer // guarded by mu: takes the next lines
}

// A buffer is a batch in the making.
type buffer struct {
	bytes   []byte
	lines   int
	waiters []*waiter
}

func (b *buffer) reset() {
	clear(b.waiters)
	b.bytes, b.lines, b.waiters = b.bytes[:0], 0, b.waiters[:0]
}

func (s *stage) init(q *Queue, firstSeq uint64) {
	s.q, s.seq = q, firstSeq
	s.filling = newBuffer()
}

func newBuffer() *buffer { return &buffer{bytes: make([]byte, 0, batchBytes+4<<10)} }

// encode turns at most limit events into lines, while the buffer has room.
// The caller holds mu.
func (s *stage) encode(limit int) {
	b := s.filling
	for n := 0; n < limit && len(b.bytes) < batchBytes; n++ {
		slot := s.q.ring.next(s.head)
		if slot == nil {
			break
		}
		s.encodeSlot(b, slot)
		if slot.charge > 0 {
			s.q.heavy.Add(-slot.charge)
		}
		s.q.ring.release(slot, s.head)
		s.head++
	}
	s.q.ring.head.Store(s.head)
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
	l := &Lost{Count: dropped - s.seen, Reason: s.q.dropReason()}
	l.First, l.Last = s.q.lost.take()
	s.seen = dropped
	s.seq += l.Count
	return l
}

func (q *Queue) dropReason() LossReason {
	if q.policy == Fallback {
		return LossFallback
	}
	return LossQueueFull
}

// take encodes what is queued, as far as one batch holds, and exchanges the
// batch for an empty buffer.
func (s *stage) take(empty *buffer) *buffer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.encode(len(s.q.ring.slots))
	full := s.filling
	s.filling = empty
	return full
}

// rest returns the declaration of what was dropped since the last event, and
// the number of the last event, lost or not.
func (s *stage) rest() (l *Lost, seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l = s.declare(s.q.counters.dropped.Load())
	return l, s.seq - 1
}

// empty reports whether nothing is left to write.
func (s *stage) empty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.filling.lines == 0 && s.q.ring.next(s.head) == nil
}
