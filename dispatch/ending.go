package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tooltrail/tooltrail/audit"
)

// Each method here is one way in which a call ends: it sets the event's outcome
// and returns the answer that agrees with it.

func (c *call) dryRun() Response {
	c.event.DryRun = true
	if !json.Valid(c.Args) {
		return c.invalidArgs("the arguments are not JSON")
	}
	result := appendDryRun(c.ToolID, c.Args)
	if most := c.Session.maxResult; most > 0 && len(result) > most {
		return c.failed(audit.ByDispatcher, tooLarge(len(result), most))
	}
	c.outcome(audit.ByDispatcher, audit.Success())
	c.answered(result)
	return &ToolResult{ToolID: c.ToolID, Result: result, Success: true, DryRun: true}
}

func (c *call) notFound() Response {
	c.outcome(audit.ByDispatcher, audit.ToolNotFound())
	return c.refuse(notFound(c.ToolID))
}

func (c *call) denied(missing []string) Response {
	c.outcome(audit.ByPolicy, audit.CapabilityDenied(missing))
	e := &Error{Code: CodeDenied, Message: fmt.Sprintf("capability denied for %s: missing %s", c.ToolID, quoted(missing))}
	if c.cursor == nil {
		e.Details = details(struct {
			Required []string `json:"required"`
			Granted  []string `json:"granted"`
			Missing  []string `json:"missing"`
		}{c.entry.def.RequiredCapabilities, c.grant.capabilities, missing})
	}
	return c.refuse(e)
}

func (c *call) limited() Response {
	c.outcome(audit.ByLimiter, audit.RateLimited(0))
	limit := c.entry.def.Resources.MaxConcurrent
	e := &Error{
		Code: CodeRateLimited, Retryable: true,
		Message: fmt.Sprintf("rate limited for %s: max_concurrent=%d in-flight", c.ToolID, limit),
	}
	if c.cursor == nil {
		e.Details = details(struct {
			ToolID string `json:"tool_id"`
			Limit  uint32 `json:"limit"`
		}{c.ToolID, limit})
	}
	return c.refuse(e)
}

func (c *call) brokerFailed(err error) Response {
	c.outcome(audit.ByDispatcher, audit.ExecutionFailed(FailBroker, true))
	return c.refuse(&Error{
		Code: CodeBroker, Retryable: true,
		Message: fmt.Sprintf("token broker error for %s: %v", c.ToolID, err),
	})
}

func (c *call) invalidArgs(why string) Response {
	by := audit.ByDispatcher
	if c.tool > 0 {
		by = audit.ByTool
	}
	why, _ = c.onError(c.Secrets.Scrub(why), nil)
	c.outcome(by, audit.InvalidArgs(why))
	return &Error{Message: fmt.Sprintf("invalid args for %s: %s", clip(c.ToolID), why)}
}

func (c *call) unrecorded(err error) Response {
	c.d.opts.Logger.Error("dispatch: a call was refused, because its intent could not be recorded", "tool", c.ToolID, "call_id", c.ID, "err", err)
	return c.failed(audit.ByPolicy, &Failure{FailUnrecorded, "the call could not be recorded before it ran, so it did not run", true})
}

func (c *call) cursorRefused(err error) Response {
	code, reply := FailCursorInvalid, &Error{Code: CodeCursorInvalid, Message: "cursor invalid"}
	if errors.Is(err, errCursorExpired) {
		code, reply = FailCursorExpired, &Error{Code: CodeCursorExpired, Message: "cursor expired; re-issue the original RunTool"}
	}
	c.outcome(audit.ByDispatcher, audit.ExecutionFailed(code, false))
	return c.refuse(reply)
}

// end is the ending of a call that reached its tool.
func (c *call) end(r result) Response {
	switch {
	case r.panicked:
		return c.panicked(audit.ByTool)
	case r.abandoned, r.wasCutOff():
		return c.cutOff(r.cutOff)
	case r.err == nil:
		return c.succeeded(r)
	}
	if failure, ok := errors.AsType[*Failure](r.err); ok {
		return c.failed(audit.ByTool, failure)
	}
	if args, ok := errors.AsType[*ArgsError](r.err); ok {
		return c.invalidArgs(args.Message)
	}
	if internal, ok := errors.AsType[*InternalError](r.err); ok {
		return c.internal(internal)
	}
	return c.unhandled(r.err)
}

func (c *call) succeeded(r result) Response {
	text := c.onResult(r.text)
	if len(text) > c.MaxOutput {
		return c.failed(audit.ByDispatcher, tooLarge(len(text), c.MaxOutput))
	}
	next, err := c.nextCursor(r.next)
	if err != nil {
		return c.internal(err)
	}
	c.outcome(audit.ByTool, audit.Success())
	c.answered(text)
	return &ToolResult{ToolID: c.ToolID, Result: text, Success: true, NextCursor: next}
}

func (c *call) failed(by audit.DecidedBy, f *Failure) Response {
	c.outcome(by, audit.ExecutionFailed(c.Secrets.Scrub(f.Code), f.Retryable))
	text := c.onResult(details(struct {
		Code      string `json:"code"`
		Message   string `json:"message"`
		Retryable bool   `json:"retryable"`
	}{c.event.Outcome.Code, c.Secrets.Scrub(c.shorten(f.Message)), f.Retryable}))
	c.answered(text)
	return &ToolResult{ToolID: c.ToolID, Result: text, DryRun: c.event.DryRun}
}

func (c *call) internal(e *InternalError) Response {
	c.outcome(audit.ByDispatcher, audit.ExecutionFailed(audit.CodeInternal, false))
	why, _ := c.onError(c.Secrets.Scrub(c.shorten(e.Message)), nil)
	return &Error{Message: fmt.Sprintf("internal error in %s: %s", c.ToolID, why)}
}

func (c *call) unhandled(err error) Response {
	c.outcome(audit.ByTool, audit.ExecutionFailed(FailUnhandled, false))
	why, _ := c.onError(c.Secrets.Scrub(c.shorten(err.Error())), nil)
	return &Error{Code: CodeUnhandled, Message: fmt.Sprintf("unhandled error in %s: %s", c.ToolID, why)}
}

// panicked calls no middleware: it may be what panicked.
func (c *call) panicked(by audit.DecidedBy) Response {
	c.outcome(by, audit.ExecutionFailed(audit.CodePanic, false))
	text := json.RawMessage(`{"code":"PANIC","message":"the tool panicked","retryable":false}`)
	c.answered(text)
	return &ToolResult{ToolID: c.ToolID, Result: text}
}

// wasCutOff reports whether a tool ended because its context did. A tool may
// say in its own words that its time was over, but not that its caller left.
func (r *result) wasCutOff() bool {
	if r.err == nil || r.cutOff == nil {
		return false
	}
	return r.cutOff != errDeadline || errors.Is(r.err, context.DeadlineExceeded) || errors.Is(r.err, context.Canceled)
}

// cutOff is the ending of a call that did not end by itself.
func (c *call) cutOff(cause error) Response {
	switch {
	case errors.Is(cause, errDeadline):
		return c.failed(audit.ByDispatcher, &Failure{audit.CodeTimeout, fmt.Sprintf("no result within %v", c.limits.Timeout), true})
	case errors.Is(cause, ErrClientGone):
		return c.failed(audit.ByClient, &Failure{audit.CodeClientGone, "the client left", false})
	}
	return c.failed(audit.ByDispatcher, &Failure{audit.CodeCancelled, "the call was cancelled: the server ends", true})
}

func tooLarge(size, most int) *Failure {
	return &Failure{FailOutputTooLarge, fmt.Sprintf("the result has %d bytes, more than %d", size, most), false}
}

func (c *call) outcome(by audit.DecidedBy, o audit.Outcome) {
	c.event.DecidedBy, c.event.Outcome = by, o
}

// answered keeps the size and the digest of what the caller gets.
func (c *call) answered(result json.RawMessage) {
	c.event.ResultBytes, c.event.ResultMAC = int64(len(result)), c.d.mac(result)
}

// refuse passes an error through the middleware.
func (c *call) refuse(e *Error) Response {
	e.Message, e.Details = c.onError(e.Message, e.Details)
	return e
}

// shorten cuts the text of an error to what a reply can carry.
func (c *call) shorten(text string) string {
	const most = 16 << 10
	if len(text) > most {
		text = text[:most] + "…"
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// quoted writes a list as ATD's messages do: ["a", "b"].
func quoted(names []string) string {
	var b strings.Builder
	for i, n := range slices.Sorted(slices.Values(names)) {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", n)
	}
	return "[" + b.String() + "]"
}
