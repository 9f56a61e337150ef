package atd

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/tooltrail/tooltrail/dispatch"
)

const (
	// watchAfter is how long a call has run, about, before its client is looked
	// after. Most calls are over by then.
	watchAfter = 20 * time.Millisecond
	watchEvery = 50 * time.Millisecond
)

// A watcher looks whether the client of a call has closed its connection. A
// client that has only ended its own direction still waits for its answer.
//
// Its timer goes on from one call to the next: to start and stop one for each
// call wakes the runtime's poller each time, which costs a call some 20 µs.
type watcher struct {
	nc net.Conn

	mu     sync.Mutex
	timer  *time.Timer             // guarded by mu; nil before the first call
	armed  bool                    // guarded by mu
	cancel context.CancelCauseFunc // guarded by mu; nil between calls
	since  time.Time               // guarded by mu; when the call began
}

// begin looks after the client of a call, until end.
func (w *watcher) begin(cancel context.CancelCauseFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cancel, w.since = cancel, time.Now()
	switch {
	case w.armed:
	case w.timer == nil:
		w.timer = time.AfterFunc(watchAfter, w.look)
	default:
		w.timer.Reset(watchAfter)
	}
	w.armed = true
}

func (w *watcher) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cancel = nil
}

// look is called by the timer.
func (w *watcher) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.cancel == nil:
		w.armed = false
	case time.Since(w.since) < watchAfter:
		w.timer.Reset(watchAfter)
	case hungUp(w.nc):
		w.cancel(dispatch.ErrClientGone)
		w.armed = false
	default:
		w.timer.Reset(watchEvery)
	}
}
