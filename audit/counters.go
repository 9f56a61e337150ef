package audit

import "sync/atomic"

// Counters are a [Queue]'s account of every event it was given. At any moment
//
//	admitted = written + lost + queued
//
// where admitted is every event passed to OnCall or Record: Enqueued events
// got a place in the queue, Dropped events did not.
//
// The struct holds no pointers and is exactly [CountersSize] bytes, so that it
// can live in memory that outlives the process (see package trail): what a
// killed process had admitted and not written is then known to its successor.
// Each field has a cache line of its own.
type Counters struct {
	Enqueued atomic.Uint64 // got a place in the queue
	_        [56]byte
	Dropped  atomic.Uint64 // refused a place: queue full or closed
	_        [56]byte
	Written  atomic.Uint64 // accepted by the Writer
	_        [56]byte
	Failed   atomic.Uint64 // taken from the queue, then lost: the Writer refused, or Close ran out of time
	_        [56]byte
}

// CountersSize is the size of [Counters], in bytes.
const CountersSize = 256
