package atd

import (
	"net"
	"sync"
	"time"
)

const (
	// watchAfter is how long a call has run before its client is looked after.
	// Most calls are over by then.
	watchAfter = 20 * time.Millisecond
	watchEvery = 50 * time.Millisecond
)

// watch calls gone once when the client has closed the connection. A client
// that has only ended its own direction still waits for its answer. The caller
// must call stop.
func watch(nc net.Conn, gone func()) (stop func()) {
	var mu sync.Mutex
	stopped := false
	var timer *time.Timer
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(watchAfter, func() {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case stopped:
		case hungUp(nc):
			gone()
		default:
			timer.Reset(watchEvery)
		}
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		stopped = true
		timer.Stop()
	}
}
