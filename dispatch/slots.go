package dispatch

import (
	"sync/atomic"
	"time"
)

// maxOverruns is how many calls of one tool may run on after their deadline.
// Beyond that the tool is stuck, and further calls are rate limited: each would
// cost another goroutine.
const maxOverruns = 64

// slots count the calls of a tool that run.
type slots struct {
	limit    int64 // calls at once; 0 is unlimited
	used     atomic.Int64
	overruns atomic.Int64 // calls that run on after they were answered
}

// take returns a permit, or nil where none is free. It does not wait.
func (s *slots) take() *permit {
	if s.overruns.Load() >= maxOverruns {
		return nil
	}
	if n := s.used.Add(1); s.limit > 0 && n > s.limit {
		s.used.Add(-1)
		return nil
	}
	return &permit{slots: s}
}

// A permit is the right of one call to run.
type permit struct {
	slots    *slots
	returned atomic.Bool
}

// give returns the permit. Further calls do nothing.
func (p *permit) give() {
	if !p.returned.Swap(true) {
		p.slots.used.Add(-1)
	}
}

// overrun is for a call that was answered and still runs. Its permit comes back
// when it ends, or after another patience: a tool that hangs for good must not
// take the permits of all later calls with it.
func (p *permit) overrun(ended <-chan result, patience time.Duration) {
	p.slots.overruns.Add(1)
	timer := time.AfterFunc(patience, p.give)
	go func() {
		<-ended
		timer.Stop()
		p.give()
		p.slots.overruns.Add(-1)
	}()
}
