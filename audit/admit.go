package audit

import (
	"context"
	"runtime"
	"time"
)

// lightBytes is the size up to which an event is bounded by the queue's
// capacity alone. Larger ones are charged to a common budget, which costs the
// caller an atomic operation on a contended line.
const lightBytes = 2 << 10

// A prepared event is within its limits, and its size is known.
type prepared struct {
	ev     *CallEvent
	charge int64 // 0 for a light event
}

// prepare cuts what is over the limits before the event enters the queue, so
// that the queue's memory is bounded too.
func (q *Queue) prepare(ev *CallEvent) prepared {
	size := ev.size()
	if size <= lightBytes {
		return prepared{ev: ev}
	}
	if !usual.admits(ev) {
		ev = usual.cut(ev)
		size = ev.size()
	}
	return prepared{ev: ev, charge: size}
}

// size is the memory that ev refers to, in bytes, near enough. Long lists are
// not walked: whoever holds one is not light.
func (ev *CallEvent) size() int64 {
	o := &ev.Outcome
	n := len(ev.CallID) + len(ev.ToolID) + len(ev.CallerID) + len(o.Code) + len(o.Message) +
		len(ev.Principal) + len(ev.SessionID) + len(ev.RequestID) + len(ev.TraceID) + len(ev.SpanID) +
		len(ev.ParentCallID) + len(ev.Server) + len(ev.Client) +
		len(ev.ArgsMAC) + len(ev.ResultMAC) + len(ev.Args) + len(ev.Result)
	if len(ev.GrantedCapabilities)+len(o.Missing)+len(ev.Flags)+len(ev.CapabilityProvenance)+len(ev.Truncated) > 0 {
		n += ev.listSize()
	}
	return int64(n)
}

func (ev *CallEvent) listSize() (n int) {
	for _, list := range [...][]string{ev.GrantedCapabilities, ev.Outcome.Missing, ev.Flags} {
		n += 16 * len(list)
		for _, s := range list {
			n += len(s)
		}
	}
	for _, p := range ev.CapabilityProvenance {
		n += 64 + len(p.Cap) + len(p.Source.Kind) + len(p.Source.IssuerDID)
	}
	for _, t := range ev.Truncated {
		n += 48 + len(t.Field) + len(t.SHA256)
	}
	return n
}

// offer puts the event into the ring, if there is room.
func (q *Queue) offer(p prepared, w *waiter) claim {
	if p.charge > 0 && !q.charge(p.charge) {
		return ringFull
	}
	// What was dropped until now was lost before this event.
	dropped := q.counters.dropped.Load()
	s, ticket, c := q.ring.claim()
	if c != claimed {
		if p.charge > 0 {
			q.heavy.Add(-p.charge)
		}
		return c
	}
	s.ev = *p.ev
	s.dropped, s.charge, s.waiter = dropped, p.charge, w
	s.publish(ticket)
	// The event may have been taken already, and head be ahead of its ticket.
	switch half := int64(ticket-q.ring.head.Load()) > int64(q.ring.mask/2); {
	case q.idle.Load() == parked, half && q.idle.Load() == lingering:
		q.rouse()
	case half && !q.stuck.Load(): // nothing is gained by working ahead of a stalled disk
		q.help()
	}
	return claimed
}

// charge takes bytes from the budget of large events. An event that exceeds
// all of it is let in alone.
func (q *Queue) charge(bytes int64) bool {
	for {
		held := q.heavy.Load()
		if held > 0 && held+bytes > q.maxBytes {
			return false
		}
		if q.heavy.CompareAndSwap(held, held+bytes) {
			return true
		}
	}
}

// help encodes a few events for the drain, which then only has to write,
// unless somebody else is encoding.
func (q *Queue) help() {
	if q.stage.tryLock() {
		q.stage.encode(helpEvents)
		q.stage.mu.Unlock()
	}
}

// onFull applies the policy to an event for which there was no room.
func (q *Queue) onFull(p prepared) {
	q.rouse() // a lingering drain looks again in a millisecond only
	switch q.policy {
	case Block:
		q.block(p)
	case Fallback:
		q.drop(p.ev, LossFallback)
		q.fallBack(p.ev)
	default:
		if q.maxWait < 0 || q.stuck.Load() {
			q.refuse(p, ringFull)
		} else if c := q.wait(p); c != claimed {
			q.refuse(p, c)
		}
	}
}

// refuse drops an event for which there was no room in the end.
func (q *Queue) refuse(p prepared, c claim) {
	reason := LossQueueFull
	if c == ringClosed {
		reason = LossClosed
	}
	if q.drop(p.ev, reason)%yieldEvery == 0 {
		runtime.Gosched()
	}
}

// yieldEvery is after how many drops a caller yields once: callers that do
// nothing but drop would keep the drain from the processor that it needs to
// make room, for 10 ms at a time. (Yielding more often costs calls that come
// while a disk stalls their p99.)
const yieldEvery = 4096

const (
	// stuckAfter is how long a Write may last before callers give up waiting
	// for it at once. It is longer than a scheduler's time slice.
	stuckAfter = 10 * time.Millisecond
	// A caller that waits sleeps at every sleepEvery-th look: the drain's
	// thread, back from a system call, needs a processor to make room. The
	// kernel makes some 70 µs of the 20, and of a busy machine's milliseconds;
	// so a caller looks minLooks times before it drops.
	sleepEvery = 8
	waitSleep  = 20 * time.Microsecond
	minLooks   = 16
)

// wait helps and yields until there is room, for at most maxWait and only
// while the drain makes progress. It returns claimed if the event got a place.
func (q *Queue) wait(p prepared) claim {
	until := q.now() + int64(q.maxWait)
	for looks := 1; ; looks++ {
		q.help()
		if c := q.offer(p, nil); c != ringFull {
			return c
		}
		now := q.now()
		if since := q.writing.Load(); since != 0 && now-since > int64(stuckAfter) {
			q.stuck.Store(true)
			return ringFull
		}
		if now > until && looks > minLooks {
			return ringFull
		}
		if looks%sleepEvery != 0 {
			runtime.Gosched()
		} else {
			time.Sleep(waitSleep)
		}
	}
}

// block waits for room up to the limit, and then drops.
func (q *Queue) block(p prepared) {
	ctx := context.Background()
	if q.limit > 0 {
		timed, cancel := context.WithTimeout(ctx, q.limit)
		defer cancel()
		ctx = timed
	}
	for pause := newPause(); ; {
		q.help()
		c := q.offer(p, nil)
		if c == claimed {
			return
		}
		if c == ringClosed || pause.once(ctx) != nil {
			q.refuse(p, c)
			return
		}
	}
}

// fallBack passes on a copy, so that the compiler can leave the events of
// callers that name a *Queue on their stacks.
func (q *Queue) fallBack(ev *CallEvent) {
	defer func() {
		if r := recover(); r != nil {
			_ = q.health.panicked(r)
		}
	}()
	spare := *ev
	q.fallback.OnCall(&spare)
}

// drop counts ev as lost and returns the count. The rest goes first, so that
// whoever sees the count sees it. A parked drain learns of the loss, to declare
// it in time.
func (q *Queue) drop(ev *CallEvent, reason LossReason) uint64 {
	q.lost.extend(ev.Time, reason)
	n := q.counters.dropped.Add(1)
	if q.idle.Load() == parked {
		q.rouse()
	}
	return n
}

// A pause waits a little, and a little longer each time, from a yield to a
// millisecond.
type pause struct{ rounds int }

func newPause() *pause { return &pause{} }

func (p *pause) once(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if p.rounds++; p.rounds <= 16 {
		runtime.Gosched()
		return nil
	}
	time.Sleep(min(time.Duration(p.rounds)*5*time.Microsecond, time.Millisecond))
	return nil
}
