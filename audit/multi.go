package audit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// A Fanout is a [Sink] that passes each event on to its members.
type Fanout struct {
	members []Sink
	panics  atomic.Uint64
}

// Multi returns a sink that calls each member in turn, on the caller's
// goroutine. A member that panics harms neither the others nor the caller;
// the panic is counted. A member that may wait for anything belongs behind a
// [Queue] of its own. nil members are left out.
func Multi(members ...Sink) *Fanout {
	f := new(Fanout)
	for _, m := range members {
		if m != nil {
			f.members = append(f.members, m)
		}
	}
	return f
}

// OnCall passes ev on to every member.
func (f *Fanout) OnCall(ev *CallEvent) {
	for _, m := range f.members {
		f.call(m, ev)
	}
}

func (f *Fanout) call(m Sink, ev *CallEvent) {
	defer func() {
		if recover() != nil {
			f.panics.Add(1)
		}
	}()
	m.OnCall(ev)
}

// Panics is how many calls of members ended in a panic.
func (f *Fanout) Panics() uint64 { return f.panics.Load() }

// A closer is a sink that can be closed, as [Queue] can.
type closer interface {
	Close(ctx context.Context) error
}

// Close closes the members that have a Close method like [Queue.Close]'s, all
// at once, so that one that hangs takes no time from the others. It returns
// their errors joined.
func (f *Fanout) Close(ctx context.Context) error {
	errs := make([]error, len(f.members))
	var wg sync.WaitGroup
	for i, m := range f.members {
		if c, ok := m.(closer); ok {
			wg.Go(func() { errs[i] = closeMember(ctx, c) })
		}
	}
	wg.Wait()
	return errors.Join(errs...)
}

func closeMember(ctx context.Context, c closer) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("audit: close: panic: %v", r)
		}
	}()
	return c.Close(ctx)
}
