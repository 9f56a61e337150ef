package audit

import (
	"log/slog"
	"sync"
	"time"
)

// A State is the condition of a [Queue].
type State uint8

const (
	// Running: the writer takes what it is given.
	Running State = iota
	// Degraded: the last Write failed and is tried again, or a Write has
	// lasted more than a second.
	Degraded
	// Closed: the queue takes no more events, and all are written or lost.
	Closed
)

// String returns the state in lower case.
func (s State) String() string { return name([]string{"running", "degraded", "closed"}, uint8(s)) }

// Stats are a [Queue]'s account at one moment: Admitted = Written + Lost +
// Queued, always.
type Stats struct {
	Admitted uint64 // events given to OnCall and Record
	Written  uint64 // accepted by the writer
	Lost     uint64 // never to be written; declared in the stream, or about to be
	Queued   uint64 // waiting

	WriteErrors uint64 // failed calls of Write and Sync
	Panics      uint64 // recovered panics of the writer and of the fallback sink
	State       State
	Err         error // the newest error of the writer while Degraded
}

// slowWrite is how long a Write may last before the queue counts as degraded.
const slowWrite = time.Second

// Stats returns the queue's account.
func (q *Queue) Stats() Stats {
	n := q.counters.Load()
	s := Stats{Admitted: n.Admitted(), Written: n.Written, Lost: n.Lost(), Queued: n.Queued()}
	q.health.report(&s)
	if since := q.writing.Load(); s.State == Running && since != 0 && q.now()-since > int64(slowWrite) {
		s.State = Degraded
	}
	return s
}

// A health keeps what is known of the writer.
type health struct {
	mu     sync.Mutex
	errors uint64 // guarded by mu
	panics uint64 // guarded by mu
	state  State  // guarded by mu
	err    error  // guarded by mu
}

func (h *health) failed(log *slog.Logger, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.errors++
	h.err = err
	if h.state == Running {
		h.state = Degraded
		if log != nil {
			log.Error("audit: the writer fails; events wait or are lost", "error", err)
		}
	}
}

func (h *health) ok(log *slog.Logger) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.state == Degraded {
		h.state, h.err = Running, nil
		if log != nil {
			log.Info("audit: the writer is well again")
		}
	}
}

func (h *health) panicked(any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.panics++
}

func (h *health) closed() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state = Closed
}

func (h *health) report(s *Stats) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.WriteErrors, s.Panics, s.State, s.Err = h.errors, h.panics, h.state, h.err
}
