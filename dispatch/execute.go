package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// ErrClientGone is the cause with which a transport cancels the context of a
// call whose caller has left.
var ErrClientGone = errors.New("dispatch: the client is gone")

var (
	errDeadline       = errors.New("dispatch: the tier's deadline")
	errBrokerPanicked = errors.New("the broker panicked")
)

// grace is how long a tool may take to return once its time is over. One that
// kills a process needs some of it.
const grace = 50 * time.Millisecond

// A result is what became of a tool.
type result struct {
	text      json.RawMessage
	next      []byte
	err       error
	panicked  bool
	abandoned bool  // it has not returned
	cutOff    error // why its time was over before it returned; nil if it was not
	took      time.Duration
}

// execute runs the tool in a goroutine of its own, so that one which ignores
// its deadline, or its caller's leaving, can be left behind.
func (c *call) execute(ctx context.Context) result {
	cc := &callContext{Context: ctx, deadline: c.start.Add(c.limits.Timeout)}
	c.timer.Reset(time.Until(cc.deadline))
	go c.callTool(cc)
	r := c.await(ctx, cc)
	c.timer.Stop()
	cc.end(context.Canceled)
	c.tool = max(r.took, 1)
	return r
}

// await waits for the tool; where its time is over first, for a grace.
func (c *call) await(ctx context.Context, cc *callContext) result {
	var cause error
	select {
	case <-c.ended:
		return c.result
	case <-c.timer.C:
		cause = errDeadline
		cc.end(context.DeadlineExceeded)
	case <-ctx.Done():
		cause = context.Cause(ctx)
		cc.end(ctx.Err())
	}
	c.timer.Reset(grace)
	select {
	case <-c.ended:
		c.result.cutOff = cause
		return c.result
	case <-c.timer.C:
	}
	c.permit.overrun(c.ended, c.limits.Timeout)
	c.left = true
	c.d.opts.Logger.Warn("dispatch: a tool runs on after its call was answered", "tool", c.ToolID, "call_id", c.ID, "why", cause)
	return result{abandoned: true, cutOff: cause, took: time.Since(c.start)}
}

// callTool calls the tool and writes its result as JSON, which may panic too.
// It touches nothing of c that finish does.
func (c *call) callTool(ctx context.Context) {
	start := time.Now()
	r := &c.result
	defer func() {
		if p := recover(); p != nil {
			c.logPanic("tool", p)
			*r = result{panicked: true}
		}
		r.took = time.Since(start)
		c.ended <- struct{}{}
	}()
	var value any
	if c.entry.pager != nil {
		value, r.next, r.err = c.entry.pager.Page(ctx, &c.Call)
	} else {
		value, r.err = c.entry.tool.Call(ctx, &c.Call)
	}
	if r.err == nil {
		r.text, r.err = encode(value, c.MaxOutput)
	}
}
