package audit

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// A State is the condition of a [Queue].
type State uint8

const (
	// Running: the writer takes what it is given.
	Running State = iota
	// Degraded: the last Write or Sync failed, or one has lasted more than a
	// second.
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
	if h.degrade(err) {
		say(log, slog.LevelError, "audit: the writer fails; events wait or are lost", slog.Any("error", err))
	}
}

// degrade reports whether the writer was well before.
func (h *health) degrade(err error) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.errors++
	h.err = err
	was := h.state
	if was == Running {
		h.state = Degraded
	}
	return was == Running
}

func (h *health) ok(log *slog.Logger) {
	if h.recover() {
		say(log, slog.LevelInfo, "audit: the writer is well again")
	}
}

// recover reports whether the writer was unwell before.
func (h *health) recover() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	was := h.state
	if was == Degraded {
		h.state, h.err = Running, nil
	}
	return was == Degraded
}

// say logs from the drain's goroutine, which a handler must not end.
func say(log *slog.Logger, level slog.Level, text string, attrs ...slog.Attr) {
	if log == nil {
		return
	}
	defer func() { _ = recover() }()
	log.LogAttrs(context.Background(), level, text, attrs...)
}

// panicked counts a panic and returns it as an error.
func (h *health) panicked(cause any) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.panics++
	return fmt.Errorf("audit: panic: %v", cause)
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
