package trail

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// A State is the condition of a [Trail].
type State uint8

const (
	// OK: lines are accepted and made durable.
	OK State = iota
	// Degraded: the last write or sync failed, or one has lasted more than a
	// second.
	Degraded
	// Closed: the trail takes no more lines.
	Closed
)

// String returns "ok", "degraded" or "closed".
func (s State) String() string {
	switch s {
	case Degraded:
		return "degraded"
	case Closed:
		return "closed"
	}
	return "ok"
}

// Stats describe a [Trail] at one moment.
type Stats struct {
	State    State
	Reason   string    // why it is degraded; "" otherwise
	Lines    uint64    // accepted since Open, notes included
	Bytes    uint64    // of those lines
	Next     uint64    // index of the next line
	Segment  string    // path of the file being written
	LastSync time.Time // when lines were last made durable
}

// slowIO is how long a write or a sync may last before the trail counts as
// degraded.
const slowIO = time.Second

// A status is what Stats reports. It has a lock of its own, so that a hanging
// disk does not hang whoever asks.
type status struct {
	mu    sync.Mutex
	stats Stats // guarded by mu
	busy  [2]atomic.Int64
}

// The operations that may hang.
const (
	busyWrite = iota
	busySync
)

func (s *status) set(change func(*Stats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.stats)
}

// during marks an operation as under way until the returned function is called.
func (s *status) during(op int) func() {
	s.busy[op].Store(time.Now().UnixNano())
	return func() { s.busy[op].Store(0) }
}

// Stats returns the trail's condition. It never waits for the disk.
func (t *Trail) Stats() Stats {
	t.status.mu.Lock()
	st := t.status.stats
	t.status.mu.Unlock()
	for op, name := range [...]string{busyWrite: "write", busySync: "sync"} {
		since := t.status.busy[op].Load()
		if took := time.Since(time.Unix(0, since)); since != 0 && took > slowIO && st.State == OK {
			st.State, st.Reason = Degraded, fmt.Sprintf("a %s has taken %v so far", name, took.Round(100*time.Millisecond))
		}
	}
	return st
}
