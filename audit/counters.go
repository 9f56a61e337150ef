package audit

import "sync/atomic"

// Counters are a [Queue]'s account of every event that it was given. At any
// moment
//
//	admitted = written + lost + queued
//
// where admitted is every event passed to OnCall or Record; see [Queue.Stats].
//
// The struct holds no pointers and is [CountersSize] bytes, so that it can
// live in memory that outlives the process (package trail does so): what a
// killed process had admitted and not written is then known to its successor.
// The zero value is ready. One queue may use it at a time; others may call
// Load at any moment.
type Counters struct {
	enqueued atomic.Uint64 // got a place; the top bit says that the queue is closed
	_        [56]byte      // a cache line for each
	dropped  atomic.Uint64 // refused a place: queue full, or closed
	_        [56]byte
	written  atomic.Uint64 // accepted by the Writer
	_        [56]byte
	failed   atomic.Uint64 // had a place, but the Writer refused or Close ran out of time
	_        [56]byte
}

// CountersSize is the size of [Counters], in bytes.
const CountersSize = 256

// Counts are the values of [Counters] at one moment.
type Counts struct {
	Enqueued uint64 // got a place in the queue
	Dropped  uint64 // refused a place
	Written  uint64 // accepted by the Writer
	Failed   uint64 // had a place and were lost all the same
}

// Load returns the counts. What was enqueued is read last, so that Queued is
// never negative.
func (c *Counters) Load() Counts {
	var n Counts
	n.Written, n.Failed = c.written.Load(), c.failed.Load()
	n.Dropped = c.dropped.Load()
	n.Enqueued = c.enqueued.Load() &^ closedBit
	return n
}

// Reset sets all counts to zero. No queue may use c meanwhile.
func (c *Counters) Reset() {
	c.enqueued.Store(0)
	c.dropped.Store(0)
	c.written.Store(0)
	c.failed.Store(0)
}

// Admitted is how many events were given to the queue.
func (n Counts) Admitted() uint64 { return n.Enqueued + n.Dropped }

// Lost is how many of them are lost.
func (n Counts) Lost() uint64 { return n.Dropped + n.Failed }

// Queued is how many wait to be written.
func (n Counts) Queued() uint64 { return n.Enqueued - n.Written - n.Failed }
