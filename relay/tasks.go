package relay

import (
	"strings"
	"time"

	"github.com/tooltrail/tooltrail/audit"
)

// A task ends a call in one of three statuses. In revision 2025-11-25 its
// result is fetched by tasks/result; in the extension to 2026-07-28 the status
// carries it. The status is kept as a provisional end in the first case,
// because a client need not fetch.
const (
	taskCompleted = "completed"
	taskFailed    = "failed"
	taskCancelled = "cancelled"
)

// A taskState is what a message says of a task.
type taskState struct {
	id     string
	status string
	reply  reply // where final is set
	final  bool  // the state carries the result or error
}

// maxEarly bounds the states of tasks that we do not know yet.
const maxEarly = 256

// earlyTasks holds the last terminal states, oldest first: a notification can
// come before the reply that creates its task.
type earlyTasks []taskState

func (e *earlyTasks) put(s taskState) {
	e.take(s.id)
	if len(*e) == maxEarly {
		*e = append((*e)[:0], (*e)[1:]...)
	}
	*e = append(*e, s)
}

func (e *earlyTasks) take(id string) (taskState, bool) {
	for i, s := range *e {
		if s.id == id {
			*e = append((*e)[:i], (*e)[i+1:]...)
			return s, true
		}
	}
	return taskState{}, false
}

// notifiedState reads a notification; repliedState reads a reply.
func (o *Observer) notifiedState(m *message) taskState { return o.taskState(m, fTaskID, fStatus) }
func (o *Observer) repliedState(m *message) taskState {
	return o.taskState(m, fNewTaskID, fNewStatus)
}

func (o *Observer) taskState(m *message, id, status field) taskState {
	s := taskState{id: m.text(id, keep[id]), status: m.text(status, keep[status])}
	s.final = s.status == taskCompleted && m.has(fInner) || s.status == taskFailed && m.has(fInnerErr)
	if s.final {
		s.reply = o.innerReply(m)
	}
	return s
}

// startTask makes a task of a call, which may have ended before we hear of it.
// o.mu is held; what it returns is to be done without.
func (o *Observer) startTask(c *call, m *message, at time.Time) (after func()) {
	s := o.repliedState(m)
	c.stage, c.taskID = stageTask, s.id
	o.track.tasks[s.id] = c
	o.track.touch(c, at)
	if early, ok := o.track.early.take(s.id); ok {
		s = early
	}
	return o.taskMoved(c, s, at)
}

// taskMoved handles a task's state. o.mu is held; what it returns is to be
// done without.
func (o *Observer) taskMoved(c *call, s taskState, at time.Time) (after func()) {
	o.track.touch(c, at)
	switch {
	case s.final:
		o.track.remove(c)
		known := o.tools.know(c.tool, at)
		return func() { o.record(c, classify(c, &s.reply, known), at) }
	case s.status == taskCancelled:
		o.track.remove(c)
		v := verdict{outcome: audit.ExecutionFailed(audit.CodeCancelled, true), by: audit.ByDispatcher}
		if c.cancelAsked {
			v.by = audit.ByClient
		}
		return func() { o.record(c, v, at) }
	case c.settled == "" && (s.status == taskCompleted || s.status == taskFailed):
		c.settled, c.settledAt = s.status, at
	}
	return nil
}

// settledVerdict is how a task ended whose result nobody fetched.
func (c *call) settledVerdict() verdict {
	if c.settled == taskCompleted {
		return verdict{outcome: audit.Success(), by: audit.ByTool}
	}
	return verdict{outcome: audit.ExecutionFailed(audit.CodeToolError, false), by: audit.ByTool}
}

// taskNotified handles a notification of a task's state.
func (o *Observer) taskNotified(m *message, at time.Time) {
	if after := o.takeState(o.notifiedState(m), at); after != nil {
		after()
	}
}

func (o *Observer) takeState(s taskState, at time.Time) (after func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if c := o.track.tasks[s.id]; c != nil {
		return o.taskMoved(c, s, at)
	}
	if s.final || s.status == taskCompleted || s.status == taskFailed || s.status == taskCancelled {
		o.track.early.put(s)
	}
	return nil
}

// askTask tracks a client's request about a task.
func (o *Observer) askTask(m *message, kind requestKind, at time.Time) {
	var buf [128]byte
	key := appendKey(buf[:0], m, fID)
	id := m.text(fTaskID, keep[fTaskID])
	o.mu.Lock()
	defer o.mu.Unlock()
	c := o.track.tasks[id]
	if c == nil || len(key) == 0 {
		return
	}
	o.track.touch(c, at)
	c.cancelAsked = c.cancelAsked || kind == kindTaskCancel
	o.expectOther(&request{kind: kind, key: string(key), call: c})
}

// expectOther tracks a request that is no call. o.mu is held.
func (o *Observer) expectOther(r *request) {
	if r.kind == kindList {
		o.listing.Add(1)
	}
	if evicted := o.track.expectOther(r); evicted != nil && evicted.kind == kindList {
		o.listing.Add(-1)
	}
}

// taskReply handles the reply to tasks/get or tasks/cancel. o.mu is held.
func (o *Observer) taskReply(c *call, m *message, at time.Time) (after func()) {
	if o.track.tasks[c.taskID] != c || m.has(fError) {
		return nil
	}
	return o.taskMoved(c, o.repliedState(m), at)
}

// taskResult handles the reply to tasks/result, which is the tool's own: a
// result, or the error that the call itself would have got. o.mu is held.
func (o *Observer) taskResult(c *call, m *message, at time.Time) (after func()) {
	if o.track.tasks[c.taskID] != c {
		return nil
	}
	o.track.remove(c)
	known := o.tools.know(c.tool, at)
	return func() {
		r := o.outerReply(m)
		if r.failed && c.settled != taskFailed && lostTask(r.text) {
			o.recordUnanswered(c, verdict{outcome: rpcFailed(r.code), by: audit.ByDispatcher}, at)
			return
		}
		if c.settled != "" {
			at = c.settledAt
		}
		o.record(c, classify(c, &r, known), at)
	}
}

// lostTask says whether an error is about the task, not the tool's own.
func lostTask(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, "task") && (strings.Contains(text, "not found") ||
		strings.Contains(text, "expired") || strings.Contains(text, "unknown task") || strings.Contains(text, "no such task"))
}
