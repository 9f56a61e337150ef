package relay

import (
	"time"

	"github.com/tooltrail/tooltrail/audit"
)

// A call is one tools/call from its request to its event. The tracker's owner
// guards it until it is removed; then whoever removed it owns it.
type call struct {
	id        string
	tool      string
	toolCut   *audit.Truncation
	requestID string // of the first request
	peer      peer
	trace     string
	span      string
	start     time.Time
	overhead  time.Duration
	argsBytes int64
	args      []byte // nil where not kept
	argsMAC   string // set where args is not kept
	flags     []string

	stage       stage
	taskWanted  bool
	cancelAsked bool      // the client asked to cancel the task
	taskID      string    // in stageTask
	settled     string    // the task's final status, while its result is not known
	settledAt   time.Time // when that came
	state       stateKey  // in stageWaiting

	ended        EndReason   // why the connection had ended before the call came, or 0
	requests     [2]*request // under which it may be answered
	active       time.Time   // when it was last heard of
	older, newer *call
}

// A stage is where a call stands.
type stage uint8

const (
	stageRunning stage = iota // a reply is owed
	stageTask                 // became a task
	stageWaiting              // the server wants input first; a retry is owed
)

// A request is a client's request whose reply is of interest.
type request struct {
	kind   requestKind
	key    string
	alias  [2]string
	call   *call  // for all but kindList
	cursor string // kindList: the page asked for
	gen    uint64 // kindList: the cache's generation when it was asked
	next   *request
	gone   bool
}

type requestKind uint8

const (
	kindCall requestKind = iota
	kindList
	kindTaskGet
	kindTaskResult
	kindTaskCancel
)

// A queue holds the requests with one id, in order.
type queue struct{ head, tail *request }

// maxOthers bounds the requests that are tracked and are no calls.
const maxOthers = 1024

// maxArgs is how much of the arguments of calls in flight is kept, in bytes.
const maxArgs = 16 << 20

// A tracker holds the calls in flight, oldest activity first.
type tracker struct {
	limit    int
	count    int
	argBytes int64
	oldest   *call
	newest   *call
	requests map[string]queue // by key
	alias    map[string]*request
	others   []*request // requests that are no calls, oldest first
	tasks    map[string]*call
	early    earlyTasks
	waiting  map[stateKey][]*call
}

func (t *tracker) init(limit int) {
	if limit <= 0 {
		limit = DefaultMaxInFlight
	}
	*t = tracker{
		limit: limit, requests: map[string]queue{}, alias: map[string]*request{},
		tasks: map[string]*call{}, waiting: map[stateKey][]*call{},
	}
}

// add puts a call in; it returns the oldest if there is no room for both.
func (t *tracker) add(c *call) (evicted *call) {
	if t.count == t.limit {
		evicted = t.oldest
		t.remove(evicted)
	}
	t.count++
	t.argBytes += int64(len(c.args))
	t.pushBack(c)
	return evicted
}

// remove takes a call out, with everything that leads to it.
func (t *tracker) remove(c *call) {
	t.count--
	t.argBytes -= int64(len(c.args))
	t.unlink(c)
	t.dropRequests(c)
	if c.stage == stageTask && t.tasks[c.taskID] == c {
		delete(t.tasks, c.taskID)
	}
	if c.stage == stageWaiting {
		t.stopWaiting(c)
	}
}

// drain takes all calls out, oldest first.
func (t *tracker) drain() []*call {
	left := make([]*call, 0, t.count)
	for t.oldest != nil {
		left = append(left, t.oldest)
		t.remove(t.oldest)
	}
	return left
}

// touch notes that a call was heard of.
func (t *tracker) touch(c *call, at time.Time) {
	t.unlink(c)
	c.active = at
	t.pushBack(c)
}

func (t *tracker) pushBack(c *call) {
	c.older, c.newer = t.newest, nil
	if t.newest != nil {
		t.newest.newer = c
	} else {
		t.oldest = c
	}
	t.newest = c
}

func (t *tracker) unlink(c *call) {
	if c.older != nil {
		c.older.newer = c.newer
	} else {
		t.oldest = c.newer
	}
	if c.newer != nil {
		c.newer.older = c.older
	} else {
		t.newest = c.older
	}
	c.older, c.newer = nil, nil
}

// expect tracks a request; it says whether another with its id is in flight.
func (t *tracker) expect(r *request) (duplicate bool) {
	for i, a := range aliases([]byte(r.key)) {
		if a != "" && a != r.key {
			r.alias[i] = a
			t.alias[a] = r
		}
	}
	q := t.requests[r.key]
	if q.head == nil {
		t.requests[r.key] = queue{r, r}
		return false
	}
	q.tail.next = r
	t.requests[r.key] = queue{q.head, r}
	return true
}

// expectOther tracks a request that is no call; the oldest gives way.
func (t *tracker) expectOther(r *request) (evicted *request) {
	if len(t.others) >= maxOthers {
		kept := t.others[:0]
		for _, o := range t.others {
			if !o.gone {
				kept = append(kept, o)
			}
		}
		clear(t.others[len(kept):])
		if t.others = kept; len(kept) >= maxOthers {
			evicted = kept[0]
			t.forget(evicted)
			t.others = append(kept[:0], kept[1:]...)
		}
	}
	t.others = append(t.others, r)
	t.expect(r)
	return evicted
}

// find returns the oldest request with an id, or nil.
func (t *tracker) find(key []byte) *request {
	if r := t.requests[string(key)].head; r != nil {
		return r
	}
	if len(t.alias) > 0 {
		if r := t.alias[string(key)]; r != nil {
			return r
		}
	}
	if len(key) == 0 || key[0] == '"' || isPlain(key) {
		return nil
	}
	for _, a := range aliases(key) {
		if r := t.requests[a].head; r != nil {
			return r
		}
		if r := t.alias[a]; r != nil {
			return r
		}
	}
	return nil
}

// forget stops tracking a request.
func (t *tracker) forget(r *request) {
	if r.gone {
		return
	}
	r.gone = true
	for _, a := range r.alias {
		if a != "" && t.alias[a] == r {
			delete(t.alias, a)
		}
	}
	t.dequeue(r)
}

func (t *tracker) dequeue(r *request) {
	q := t.requests[r.key]
	switch {
	case q.head == r && q.tail == r:
		delete(t.requests, r.key)
	case q.head == r:
		t.requests[r.key] = queue{r.next, q.tail}
	default:
		before := q.head
		for before.next != r {
			before = before.next
		}
		before.next = r.next
		if q.tail == r {
			t.requests[r.key] = queue{q.head, before}
		}
	}
	r.next = nil
}

// dropRequests stops tracking the requests of a call.
func (t *tracker) dropRequests(c *call) {
	for i, r := range c.requests {
		if r != nil {
			t.forget(r)
			c.requests[i] = nil
		}
	}
}
