package relay

import (
	"slices"
	"sync"
	"time"

	"github.com/tooltrail/tooltrail/audit"
)

// A verdict is how a call ended.
type verdict struct {
	outcome     audit.Outcome
	by          audit.DecidedBy
	resultBytes int64
	resultMAC   string
	flag        string // a further flag, or ""
}

var events = sync.Pool{New: func() any { return new(audit.CallEvent) }}

// record sends a call's event. The call must have left the tracker, so that no
// other event of it can follow.
func (o *Observer) record(c *call, v verdict, at time.Time) {
	defer o.inFlight.Add(-1)
	ev := events.Get().(*audit.CallEvent)
	defer events.Put(ev)
	if v.flag != "" {
		c.flag(v.flag)
	}
	if len(c.args) > 0 {
		c.argsMAC = o.macBytes(c.args)
	}
	*ev = audit.CallEvent{
		Time: at, CallID: c.id, ToolID: c.tool, CallerID: c.peer.name, Client: c.peer.client,
		Duration: max(at.Sub(c.start), 0), Overhead: max(c.overhead, 0),
		Outcome: v.outcome, DecidedBy: v.by, RequestID: c.requestID,
		TraceID: c.trace, SpanID: c.span, SessionID: o.session,
		Principal: o.principal, Server: o.server, Transport: o.transport,
		ArgsBytes: c.argsBytes, ResultBytes: v.resultBytes, ArgsMAC: c.argsMAC, ResultMAC: v.resultMAC,
		Flags: slices.Clip(c.flags),
	}
	if c.toolCut != nil {
		ev.Truncated = []audit.Truncation{*c.toolCut}
	}
	o.emit(ev)
	*ev = audit.CallEvent{}
}

// emit calls the sink. A sink that panics breaks its contract; the bytes must
// pass all the same.
func (o *Observer) emit(ev *audit.CallEvent) {
	defer func() {
		if r := recover(); r != nil {
			o.log.Error("relay: sink panicked; an event may be lost", "call_id", ev.CallID, "panic", r)
		}
	}()
	o.sink.OnCall(ev)
}
