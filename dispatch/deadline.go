package dispatch

import (
	"context"
	"sync"
	"time"
)

// A callContext is the context that a tool sees. It ends when its call is
// answered, whatever the tool still does. It has no timer of its own, and no
// channel before one is asked for: package context would allocate five times
// for each call.
type callContext struct {
	context.Context // the caller's
	deadline        time.Time

	mu   sync.Mutex
	done chan struct{} // guarded by mu; nil until asked for
	err  error         // guarded by mu; nil until the end
}

// Deadline returns the tier's deadline, or the caller's if that is earlier.
func (c *callContext) Deadline() (time.Time, bool) {
	if d, ok := c.Context.Deadline(); ok && d.Before(c.deadline) {
		return d, true
	}
	return c.deadline, true
}

// Done returns a channel that is closed at the end.
func (c *callContext) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.err != nil {
			close(c.done)
		}
	}
	return c.done
}

// Err returns why it ended, nil before that.
func (c *callContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// end ends the context. The first reason stands.
func (c *callContext) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = err
	if c.done != nil {
		close(c.done)
	}
}
