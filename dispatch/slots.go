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

// take takes a permit, if one is free. It does not wait.
func (s *slots) take() bool {
	if s.overruns.Load() >= maxOverruns {
		return false
	}
	if n := s.used.Add(1); s.limit > 0 && n > s.limit {
		s.used.Add(-1)
		return false
	}
	return true
}

// A permit is the right of one call to run. The zero value is none.
type permit struct{ slots atomic.Pointer[slots] }

// take takes a permit of s, if one is free.
func (p *permit) take(s *slots) bool {
	if !s.take() {
		return false
	}
	p.slots.Store(s)
	return true
}

// give returns the permit. Where there is none it does nothing.
func (p *permit) give() {
	if s := p.slots.Swap(nil); s != nil {
		s.used.Add(-1)
	}
}

// overrun is for a call that was answered and still runs. Its permit comes back
// when it ends, or after another patience: a tool that hangs for good must not
// take the permits of all later calls with it.
func (p *permit) overrun(ended <-chan struct{}, patience time.Duration) {
	left := &permit{}
	s := p.slots.Swap(nil)
	left.slots.Store(s)
	s.overruns.Add(1)
	timer := time.AfterFunc(patience, left.give)
	go func() {
		<-ended
		timer.Stop()
		left.give()
		s.overruns.Add(-1)
	}()
}
