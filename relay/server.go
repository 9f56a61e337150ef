package relay

import (
	"strings"
	"time"

	"github.com/tooltrail/tooltrail/audit"
)

const (
	notifyToolsChanged = "notifications/tools/list_changed"
	notifyTaskStatus   = "notifications/tasks/status" // 2025-11-25
	notifyTask         = "notifications/tasks"        // tasks extension of 2026-07-28
)

// serverMessage looks at one message from the server.
func (o *Observer) serverMessage(m *message, at time.Time) {
	if !m.has(fMethod) {
		if m.has(fID) && (m.has(fResult) || m.has(fError)) {
			o.reply(m, at)
		}
		return
	}
	switch {
	case m.is(fMethod, notifyToolsChanged):
		o.toolsChanged()
	case m.is(fMethod, notifyTaskStatus), m.is(fMethod, notifyTask):
		o.taskNotified(m, at)
	}
}

// reply handles the reply to a request that is tracked; all others pass.
func (o *Observer) reply(m *message, at time.Time) {
	if after := o.takeReply(m, at); after != nil {
		after()
	}
}

// takeReply does what needs the lock, and returns what is to be done without
// it, or nil.
func (o *Observer) takeReply(m *message, at time.Time) (after func()) {
	var buf [128]byte
	key := appendKey(buf[:0], m, fID)
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.track.find(key)
	if r == nil {
		return nil
	}
	o.forget(r)
	switch r.kind {
	case kindCall:
		return o.callReply(r.call, m, at)
	case kindList:
		return func() { o.toolsListed(r, m, at) }
	case kindTaskResult:
		return o.taskResult(r.call, m, at)
	}
	return o.taskReply(r.call, m, at)
}

// callReply handles a reply to tools/call: its end, or a step on the way. o.mu
// is held.
func (o *Observer) callReply(c *call, m *message, at time.Time) (after func()) {
	switch {
	case becomesTask(c, m):
		o.track.dropRequests(c)
		return o.startTask(c, m, at)
	case m.is(fResultType, resultInputRequired):
		o.track.dropRequests(c)
		o.wait(c, m, at)
		return nil
	}
	o.track.remove(c)
	known := o.tools.know(c.tool, at)
	return func() {
		r := o.outerReply(m)
		o.record(c, classify(c, &r, known), at)
	}
}

// halfReply marks the call whose reply was cut off.
func (o *Observer) halfReply(m *message) {
	var buf [128]byte
	key := appendKey(buf[:0], m, fID)
	o.mu.Lock()
	defer o.mu.Unlock()
	if r := o.track.find(key); r != nil && r.call != nil {
		r.call.flag(FlagHalfReply)
	}
}

// The values of resultType (2026-07-28).
const (
	resultComplete      = "complete"
	resultInputRequired = "input_required"
	resultTask          = "task"
)

// A reply is what counts of a final result or error. It holds no memory of
// the message.
type reply struct {
	failed     bool   // a JSON-RPC error
	code       string // its code
	toolError  bool   // a result with isError
	text       string // what the error says
	bytes      int64
	mac        string
	resultType string // where it is none that we know
}

// outerReply reads the result or error of a message itself.
func (o *Observer) outerReply(m *message) reply {
	r := o.readReply(m, fResult, fIsError, fText, fError, fCode, fErrText)
	if m.has(fResultType) && !r.failed && !m.is(fResultType, resultComplete) {
		r.resultType = m.text(fResultType, keep[fResultType])
	}
	return r
}

// innerReply reads the result or error that a task's state holds.
func (o *Observer) innerReply(m *message) reply {
	return o.readReply(m, fInner, fInnerIsError, fInnerText, fInnerErr, fInnerCode, fInnerErrText)
}

func (o *Observer) readReply(m *message, result, isError, text, rpcError, code, message field) reply {
	if m.has(rpcError) && m.kind(rpcError) != 'n' {
		return reply{
			failed: true, code: errorCode(m.raw(code)), text: m.text(message, maxText),
			bytes: m.size(rpcError), mac: o.mac(m, rpcError),
		}
	}
	r := reply{bytes: m.size(result), mac: o.mac(m, result)}
	if string(m.raw(isError)) == "true" {
		r.toolError, r.text = true, m.text(text, maxText)
	}
	return r
}

// becomesTask says whether a reply creates a task in place of a result: the
// one of 2025-11-25 only where the client asked for it.
func becomesTask(c *call, m *message) bool {
	if !m.has(fNewTaskID) || m.has(fError) {
		return false
	}
	return m.is(fResultType, resultTask) || c.taskWanted && !m.has(fIsError)
}

// errorCode returns the text of a JSON-RPC error's code.
func errorCode(raw []byte) string {
	if len(raw) == 0 || len(raw) > 20 || strings.Trim(string(raw), "-0123456789.eE+") != "" {
		return "UNKNOWN"
	}
	if isPlain(raw) {
		return string(raw)
	}
	if a := aliases(raw)[0]; a != "" {
		return a
	}
	return "UNKNOWN"
}

func rpcFailed(code string) audit.Outcome {
	return audit.ExecutionFailed(audit.CodeRPCPrefix+code, retryableCodes[code])
}
