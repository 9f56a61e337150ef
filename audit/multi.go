package audit

import (
	"context"
	"errors"
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

// Close closes the members that have a Close method like [Queue.Close]'s, all
// of them, and returns their errors joined.
func (f *Fanout) Close(ctx context.Context) error {
	var errs []error
	for _, m := range f.members {
		if c, ok := m.(interface{ Close(context.Context) error }); ok {
			errs = append(errs, c.Close(ctx))
		}
	}
	return errors.Join(errs...)
}
