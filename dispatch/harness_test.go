package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/audit"
)

// A memory remembers events.
type memory struct {
	mu     sync.Mutex
	events []audit.CallEvent
}

func (m *memory) OnCall(ev *audit.CallEvent) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events = append(m.events, *ev)
}

// take returns what was recorded since the last take.
func (m *memory) take() []audit.CallEvent {
	m.mu.Lock()
	defer m.mu.Unlock()
	events := m.events
	m.events = nil
	return events
}

// one returns the only event since the last take.
func (m *memory) one(t *testing.T) audit.CallEvent {
	t.Helper()
	events := m.take()
	if len(events) != 1 {
		t.Fatalf("%d events, want one: %+v", len(events), events)
	}
	return events[0]
}

// A rig is a dispatcher with tools for every ending.
type rig struct {
	*Dispatcher
	events  *memory
	release chan struct{} // lets the stubborn tools end
}

func newRig(t *testing.T, o Options) *rig {
	t.Helper()
	r := &rig{events: &memory{}, release: make(chan struct{})}
	t.Cleanup(func() { close(r.release) })
	registry, err := NewRegistry(r.tools()...)
	if err != nil {
		t.Fatal(err)
	}
	o.Sink = r.events
	if o.Tiers == nil {
		o.Tiers = map[Tier]Limits{TierHot: {Timeout: 30 * time.Millisecond, MaxOutput: 100}}
	}
	if r.Dispatcher, err = New(registry, &o); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) tools() []Tool {
	tool := func(id string, change func(*Definition), call func(context.Context, *Call) (any, error)) Tool {
		d := Definition{ID: id}
		if change != nil {
			change(&d)
		}
		return &funcTool{def: d, call: call}
	}
	hot := func(d *Definition) { d.Tier = TierHot }
	fails := func(err error) func(context.Context, *Call) (any, error) {
		return func(context.Context, *Call) (any, error) { return nil, err }
	}
	return []Tool{
		tool("echo", nil, func(_ context.Context, c *Call) (any, error) { return map[string]any{"echoed": c.Args}, nil }),
		tool("typed", func(d *Definition) {
			d.InputSchema = json.RawMessage(`{"type":"object","required":["path"],"properties":{"path":{"type":"string"},"mode":{"pattern":"^[a-z]+$"},"n":{"type":"integer","minimum":1}}}`)
		}, func(_ context.Context, c *Call) (any, error) {
			var args struct {
				Path string `json:"path"`
			}
			err := c.Decode(&args)
			return args.Path, err
		}),
		tool("write", func(d *Definition) { d.RequiredCapabilities = []string{"write", "admin"} }, fails(nil)),
		tool("single", func(d *Definition) { d.Resources.MaxConcurrent = 1 }, func(ctx context.Context, _ *Call) (any, error) {
			<-r.release
			return nil, nil
		}),
		tool("stubborn", func(d *Definition) { d.Tier, d.Resources.MaxConcurrent = TierHot, 1 }, func(context.Context, *Call) (any, error) {
			<-r.release
			return "late", nil
		}),
		tool("obedient", hot, func(ctx context.Context, _ *Call) (any, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}),
		tool("patient", nil, func(ctx context.Context, _ *Call) (any, error) {
			<-ctx.Done()
			return nil, errors.New("interrupted")
		}),
		tool("missing-file", nil, fails(Fail("NOT_FOUND", false, "no /home/alice/x"))),
		tool("picky", nil, fails(InvalidArgs("path: not below /home/alice"))),
		tool("broken", nil, fails(Internal("no temp folder in /home/alice"))),
		tool("odd", nil, fails(errors.New("something odd in /home/alice"))),
		tool("panics", nil, func(context.Context, *Call) (any, error) { panic("boom") }),
		tool("huge", hot, func(context.Context, *Call) (any, error) { return strings.Repeat("x", 101), nil }),
		tool("no-json", nil, func(context.Context, *Call) (any, error) { return func() {}, nil }),
		tool("home", nil, func(context.Context, *Call) (any, error) {
			return map[string]string{"/home/alice": "/home/alice/x"}, nil
		}),
		tool("secret", nil, func(_ context.Context, c *Call) (any, error) {
			return nil, Fail("AUTH", false, "token %s refused", c.Secrets["TOKEN"].Reveal())
		}),
		tool("destroy", func(d *Definition) { d.Safety.Level = SafetyDestructive }, func(context.Context, *Call) (any, error) { return "gone", nil }),
		tool("hidden", func(d *Definition) { d.Visibility = VisibilityHidden }, func(context.Context, *Call) (any, error) { return "ok", nil }),
		&rows{id: "rows", n: 100, caps: nil},
		&rows{id: "rows-guarded", n: 100, caps: []string{"read"}},
		&rows{id: "rows-single", n: 100, limit: 1},
		&rows{id: "rows-failing", n: 100, failAt: 10},
		&rows{id: "rows-large-state", n: 100, state: MaxState + 1},
	}
}

// rows pages through numbered rows, ten at a time.
type rows struct {
	id     string
	n      int
	caps   []string
	limit  uint32
	failAt int
	state  int
}

func (r *rows) Definition() *Definition {
	return &Definition{ID: r.id, RequiredCapabilities: r.caps, Resources: Resources{MaxConcurrent: r.limit}}
}

func (r *rows) Call(ctx context.Context, c *Call) (any, error) {
	v, _, err := r.Page(ctx, c)
	return v, err
}

func (r *rows) Page(_ context.Context, c *Call) (any, []byte, error) {
	from := 0
	if c.State != nil {
		if err := json.Unmarshal(c.State, &from); err != nil {
			return nil, nil, err
		}
	}
	if r.failAt > 0 && from >= r.failAt {
		return nil, nil, Fail("IO", true, "row %d", from)
	}
	var page []map[string]int
	for i := from; i < min(from+10, r.n); i++ {
		page = append(page, map[string]int{"row": i})
	}
	if from+10 >= r.n {
		return page, nil, nil
	}
	next, _ := json.Marshal(from + 10)
	for len(next) < r.state {
		next = append(next, ' ')
	}
	return page, next, nil
}

func (r *rig) run(s *Session, tool, args string) Response {
	return r.Handle(context.Background(), s, &RunTool{ToolID: tool, Args: json.RawMessage(args)})
}

func (r *rig) next(s *Session, tool, cursor string) Response {
	return r.Handle(context.Background(), s, &RunToolContinue{ToolID: tool, Cursor: cursor})
}

// as returns a session after a hello.
func (r *rig) as(t *testing.T, client string, caps ...string) *Session {
	t.Helper()
	s := NewSession(nil)
	if reply := r.Handle(context.Background(), s, Hello{ClientID: client, RequestedCapabilities: caps}); reply == nil {
		t.Fatal(reply)
	} else if e, refused := reply.(*Error); refused {
		t.Fatal(e)
	}
	return s
}

// firstCursor runs the first page of a tool.
func (r *rig) firstCursor(t *testing.T, s *Session, tool string) string {
	t.Helper()
	reply, ok := r.run(s, tool, `{}`).(*ToolResult)
	if !ok || reply.NextCursor == "" {
		t.Fatalf("%s gave no cursor: %+v", tool, reply)
	}
	r.events.take()
	return reply.NextCursor
}
