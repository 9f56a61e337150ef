package audit

import (
	"math/bits"
	"sync/atomic"
)

// A ring is a bounded queue of events for many producers and one consumer at a
// time, after Dmitry Vyukov's bounded MPMC queue
// (https://www.1024cores.net/home/lock-free-algorithms/queues/bounded-mpmc-queue).
// A slot's turn tells whose it is: the producer of ticket n may fill it when
// turn is n, the consumer may empty it when turn is n+1.
//
// Measured against channels, mutexes and sharded buffers it costs the caller
// least (see bench/).
type ring struct {
	slots []slot
	mask  uint64
	// tail is the next ticket, with closedBit set once no more are given out.
	// It is the Enqueued counter itself, so that counting costs nothing.
	tail *atomic.Uint64
	// head is the consumer's position, published so that producers can tell
	// how full the ring is. Only the consumer writes it.
	head atomic.Uint64
	_    [56]byte
}

// closedBit marks a tail that gives out no more tickets.
const closedBit = 1 << 63

type slot struct {
	turn atomic.Uint64
	// dropped is the Dropped counter at the time the slot was filled: what
	// exceeds the value seen before was lost before this event.
	dropped uint64
	// charge is what the event took from the byte budget.
	charge int64
	waiter *waiter
	ev     CallEvent
}

// newRing returns a ring with room for capacity events, rounded up to a power
// of two.
func newRing(capacity int, tail *atomic.Uint64) *ring {
	n := uint64(1) << bits.Len64(uint64(max(capacity, 2)-1))
	r := &ring{slots: make([]slot, n), mask: n - 1, tail: tail}
	for i := range r.slots {
		r.slots[i].turn.Store(uint64(i))
	}
	return r
}

// A claim is the outcome of asking for a slot.
type claim uint8

const (
	claimed claim = iota
	ringFull
	ringClosed
)

// claim gives the caller a slot to fill. The caller must then call publish.
func (r *ring) claim() (s *slot, ticket uint64, c claim) {
	for {
		ticket = r.tail.Load()
		if ticket&closedBit != 0 {
			return nil, 0, ringClosed
		}
		s = &r.slots[ticket&r.mask]
		switch turn := s.turn.Load(); {
		case turn == ticket:
			if r.tail.CompareAndSwap(ticket, ticket+1) {
				return s, ticket, claimed
			}
		case turn < ticket:
			return nil, 0, ringFull
		}
	}
}

// publish hands a filled slot to the consumer.
func (s *slot) publish(ticket uint64) { s.turn.Store(ticket + 1) }

// next returns the slot at the consumer's position, or nil if it is not filled
// yet.
func (r *ring) next(head uint64) *slot {
	s := &r.slots[head&r.mask]
	if s.turn.Load() != head+1 {
		return nil
	}
	return s
}

// release gives the slot back to the producers, empty, so that it keeps none
// of the caller's memory alive.
func (r *ring) release(s *slot, head uint64) {
	s.ev, s.waiter = CallEvent{}, nil
	s.turn.Store(head + uint64(len(r.slots)))
}

// close gives out no more tickets and returns how many were given out.
func (r *ring) close() uint64 { return r.tail.Or(closedBit) &^ closedBit }

// tickets returns how many tickets were given out.
func (r *ring) tickets() uint64 { return r.tail.Load() &^ closedBit }
