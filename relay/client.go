package relay

import (
	"strings"
	"time"

	"github.com/tooltrail/tooltrail/audit"
)

// The methods of interest; all others pass unread.
const (
	methodCall       = "tools/call"
	methodList       = "tools/list"
	methodInitialize = "initialize"
	methodCancelled  = "notifications/cancelled"
	methodTaskGet    = "tasks/get"
	methodTaskResult = "tasks/result"
	methodTaskCancel = "tasks/cancel"
)

// Flags that the relay sets, besides those of package audit.
const (
	// FlagTrackerFull: the call was given up, because too many were in flight.
	FlagTrackerFull = "tracker_full"
	// FlagDuplicateID: another call with the same id was in flight, so the
	// replies may have been taken one for the other.
	FlagDuplicateID = "duplicate_id"
	// FlagNoReplyID: the request has no id that a server can answer.
	FlagNoReplyID = "no_reply_id"
	// FlagHalfReply: the connection ended in the middle of the reply.
	FlagHalfReply = "half_reply"
	// FlagInputRequired: the server asked for input, and no retry followed.
	FlagInputRequired = "input_required"
	// FlagUnknownResultType: the result's type is none that we know.
	FlagUnknownResultType = "unknown_result_type"
)

// CodeUnanswerable is the execution_failed code of a tools/call without an id
// that can be answered: none, null, or neither number nor string. A server
// may run it and cannot say how it ended.
const CodeUnanswerable = "UNANSWERABLE"

// clientMessage looks at one message from the client.
func (o *Observer) clientMessage(m *message, at time.Time) {
	if !m.has(fMethod) {
		return // a reply to the server
	}
	if m.wasCall {
		o.beginCall(m, at)
		return
	}
	switch name := m.inner(fMethod); string(name) {
	case methodCall:
		o.beginCall(m, at)
	case methodList:
		o.listTools(m)
	case methodCancelled:
		o.cancelled(m, at)
	case methodTaskGet:
		o.askTask(m, kindTaskGet, at)
	case methodTaskResult:
		o.askTask(m, kindTaskResult, at)
	case methodTaskCancel:
		o.askTask(m, kindTaskCancel, at)
	case methodInitialize:
		o.initialize(m)
	default:
		if escaped(name) {
			o.escapedMethod(m, at)
		}
	}
}

// escapedMethod handles a method that is spelled with escapes.
func (o *Observer) escapedMethod(m *message, at time.Time) {
	name := m.text(fMethod, keep[fMethod])
	if strings.Contains(name, `\`) {
		return
	}
	m.vals[fMethod].b = []byte(`"` + name + `"`)
	m.vals[fMethod].n = int64(len(name) + 2)
	o.clientMessage(m, at)
}

// initialize notes who the client says it is.
func (o *Observer) initialize(m *message) {
	p := peerOf(m)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.peer = p
}

// peerOf reads a message's clientInfo.
func peerOf(m *message) peer {
	if !m.has(fClient) {
		return peer{}
	}
	p := peer{name: m.text(fClient, maxText)}
	p.client = p.name
	if v := m.text(fClientVersion, maxText); v != "" {
		p.client += "/" + v
	}
	return p
}

// beginCall tracks a tools/call, or records it where no reply can end it.
func (o *Observer) beginCall(m *message, at time.Time) {
	o.inFlight.Add(1)
	c := o.newCall(m, at)
	evicted, fate := o.admit(c, m, at)
	switch fate {
	case fateEnds:
		o.recordAtOnce(c, m, at)
	case fateResumes:
		o.inFlight.Add(-1)
	}
	if evicted != nil {
		evicted.flag(FlagTrackerFull)
		o.recordUnanswered(evicted, EndStopped.verdict(), at)
	}
}

// A fate is what becomes of a request to call a tool.
type fate uint8

const (
	fateWaits   fate = iota // a reply is awaited
	fateResumes             // it continues an earlier call
	fateEnds                // no reply can come
)

// admit puts a call into the tracker. It returns the call that had to give way,
// if any.
func (o *Observer) admit(c *call, m *message, at time.Time) (evicted *call, _ fate) {
	var buf, other [128]byte
	key := appendKey(buf[:0], m, fID)
	otherKey := appendKey(other[:0], m, fOtherID)
	o.mu.Lock()
	defer o.mu.Unlock()
	if c.peer == (peer{}) {
		c.peer = o.peer
	}
	if c.ended = o.ended; c.ended != 0 || len(key) == 0 && len(otherKey) == 0 {
		return nil, fateEnds
	}
	if first := o.resume(m, c); first != nil {
		o.expectReply(first, key, otherKey)
		o.track.touch(first, at)
		return nil, fateResumes
	}
	o.keepArgs(c, m)
	c.overhead = o.now().Sub(at)
	evicted = o.track.add(c)
	o.expectReply(c, key, otherKey)
	o.armExpiry()
	return evicted, fateWaits
}

// recordAtOnce records a call that no reply can end.
func (o *Observer) recordAtOnce(c *call, m *message, at time.Time) {
	if b := m.raw(fID); len(b) > 0 && m.whole(fID) && len(b) < maxID {
		c.requestID = string(b)
	}
	c.args, c.argsMAC = nil, o.mac(m, fArgs)
	v := verdict{outcome: audit.ExecutionFailed(CodeUnanswerable, false), by: audit.ByClient}
	if c.ended != 0 {
		v = c.ended.verdict()
	} else {
		c.flag(FlagNoReplyID)
	}
	o.record(c, v, at)
}

// expectReply tracks the ids under which a call may be answered: two, where
// parsers may disagree on which of two keys counts.
func (o *Observer) expectReply(c *call, key, other []byte) {
	for i, k := range [2][]byte{key, other} {
		if len(k) == 0 {
			continue
		}
		r := &request{kind: kindCall, key: string(k), call: c}
		c.requests[i] = r
		if c.requestID == "" {
			c.requestID = requestID(r.key)
		}
		if o.track.expect(r) {
			c.flag(FlagDuplicateID)
		}
	}
}

// cancelled ends a call that the client took back.
func (o *Observer) cancelled(m *message, at time.Time) {
	c := o.takeBack(m)
	if c == nil {
		return
	}
	code := audit.CodeCancelled
	if saysTimeout(m.text(fReason, keep[fReason])) {
		code = audit.CodeTimeout
	}
	o.record(c, verdict{outcome: audit.ExecutionFailed(code, true), by: audit.ByClient}, at)
}

// takeBack removes the request that a cancel names, and the call with it. A
// request for a task's result may be taken back without ending the call.
func (o *Observer) takeBack(m *message) *call {
	var buf [128]byte
	key := appendKey(buf[:0], m, fRequestID)
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.track.find(key)
	switch {
	case r == nil:
		return nil
	case r.kind != kindCall:
		o.forget(r)
		return nil
	}
	o.track.remove(r.call)
	return r.call
}

// saysTimeout reports whether the reason of a cancel is that the client waited
// too long: "Request timed out" of the TypeScript SDK, "context deadline
// exceeded" of Go's.
func saysTimeout(reason string) bool {
	reason = strings.ToLower(reason)
	return strings.Contains(reason, "timed out") || strings.Contains(reason, "timeout") ||
		strings.Contains(reason, "deadline exceeded")
}

// forget stops tracking a request. o.mu is held.
func (o *Observer) forget(r *request) {
	if r.kind == kindList && !r.gone {
		o.listing.Add(-1)
	}
	o.track.forget(r)
}
