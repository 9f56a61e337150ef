package dispatch

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/tooltrail/tooltrail/audit"
)

// A call is one call from its request to its event. The tool sees the Call in
// it and nothing else.
type call struct {
	Call
	d      *Dispatcher
	grant  *grant
	entry  *entry // nil where the tool is not known
	permit permit
	limits Limits
	cursor *cursor // nil on the first page

	start time.Time
	tool  time.Duration // what the tool took
	event audit.CallEvent

	ended  chan struct{} // gets one value when the tool has returned
	result result        // of the tool; to be read after that
	timer  *time.Timer
	left   bool // the tool has not returned
}

// calls are calls that are over. Neither a sink nor a tool may keep what it was
// given; a call whose tool was left behind is not used again.
var calls = sync.Pool{New: func() any {
	c := &call{ended: make(chan struct{}, 1), timer: time.NewTimer(time.Hour)}
	c.timer.Stop()
	return c
}}

// warm is the place of TierWarm in Tiers.
var warm = TierWarm.index()

// begin opens a call. It holds for unknown tools too.
func (d *Dispatcher) begin(s *Session, toolID string, args json.RawMessage) *call {
	c := calls.Get().(*call)
	c.d, c.grant, c.start, c.limits = d, s.grant.Load(), time.Now(), d.limits[warm]
	if args == nil {
		args = null
	}
	c.Call = Call{
		ID: audit.NewCallIDAt(c.start), ToolID: toolID, Args: args, Dir: d.opts.Dir, Session: s,
		CallerID: c.grant.caller, Principal: s.principal, Granted: c.grant.capabilities, Tier: TierWarm,
	}
	c.event = audit.CallEvent{
		CallID: c.ID, ToolID: toolID, CallerID: c.CallerID, Principal: s.principal,
		GrantedCapabilities: c.grant.capabilities, CapabilityProvenance: c.grant.provenance,
		SessionID: s.id, Server: d.opts.Name, Transport: s.transport,
		ArgsBytes: int64(len(args)), ArgsMAC: d.mac(args),
	}
	d.metrics.running.Add(1)
	return c
}

// find looks the tool up, and takes its tier.
func (c *call) find() bool {
	c.entry = c.d.registry.entries[c.ToolID]
	if c.entry == nil {
		return false
	}
	c.Tier = c.entry.def.Tier.orWarm()
	c.limits = c.d.limits[c.entry.tier]
	c.MaxOutput = c.limits.MaxOutput
	if most := c.Session.maxResult; most > 0 {
		c.MaxOutput = min(c.MaxOutput, most)
	}
	c.event.Tier = c.Tier.audited()
	return true
}

func (c *call) takePermit() bool { return c.permit.take(&c.entry.slots) }

// findSecrets asks the broker, for as long as the tier allows. One that panics
// has failed.
func (c *call) findSecrets(ctx context.Context) (err error) {
	if c.d.opts.Broker == nil {
		return nil
	}
	ctx, cancel := context.WithDeadline(ctx, c.start.Add(c.limits.Timeout))
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			c.logPanic("broker", p)
			err = errBrokerPanicked
		}
	}()
	c.Secrets, err = c.d.opts.Broker.Secrets(ctx, Caller{ID: c.CallerID, Principal: c.Principal})
	c.event.SecretsResolved = err == nil && c.Secrets != nil
	return err
}

// finish records the call, whatever ended it. It is deferred, so that no return
// can pass it by.
func (c *call) finish(reply *Response) {
	if p := recover(); p != nil {
		c.logPanic("dispatch", p)
		*reply = c.panicked(audit.ByDispatcher)
	}
	c.permit.give()
	now := time.Now()
	ev := &c.event
	ev.Time, ev.Duration = now, now.Sub(c.start)
	ev.Overhead = max(ev.Duration-c.tool, 0)
	c.d.metrics.ended(c)
	c.record()
	if !c.left {
		*c = call{ended: c.ended, timer: c.timer}
		calls.Put(c)
	}
}

// record hands the event to the sink. One that panics harms only itself.
func (c *call) record() {
	defer func() {
		if p := recover(); p != nil {
			c.logPanic("sink", p)
		}
	}()
	c.d.opts.Sink.OnCall(&c.event)
}

// logPanic tells of a panic, without the caller's secrets.
func (c *call) logPanic(who string, p any) {
	c.d.opts.Logger.Error("dispatch: recovered from a panic", "in", who, "tool", clip(c.ToolID), "call_id", c.ID,
		"panic", c.Secrets.Scrub(fmt.Sprint(p)), "stack", c.Secrets.Scrub(string(debug.Stack())))
}
