package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/audit"
)

// An ending is a return of runTool, continueTool or end, with a call that ends
// there. Every return in the source has to be here, and what is here in the
// source.
type ending struct {
	site string // function: what it returns
	opts Options
	act  func(t *testing.T, r *rig) Response

	reply   string // the answer, in short; see brief
	outcome audit.Outcome
	by      audit.DecidedBy
	page    uint32
}

func run(tool, args string) func(*testing.T, *rig) Response {
	return func(_ *testing.T, r *rig) Response { return r.run(NewSession(nil), tool, args) }
}

// cancelled runs a tool whose context ends with a cause.
func cancelled(tool string, cause error) func(*testing.T, *rig) Response {
	return func(_ *testing.T, r *rig) Response {
		ctx, cancel := context.WithCancelCause(context.Background())
		time.AfterFunc(10*time.Millisecond, func() { cancel(cause) })
		return r.Handle(ctx, NewSession(nil), &RunTool{ToolID: tool, Args: json.RawMessage(`{}`)})
	}
}

var endings = []ending{
	{
		site: "runTool: c.dryRun()", act: func(_ *testing.T, r *rig) Response {
			return r.Handle(context.Background(), NewSession(nil), &RunTool{ToolID: "no such", Args: json.RawMessage(`{"a":1}`), DryRun: true})
		},
		reply: `ok dry {"dry_run":true,"tool_id":"no such","args_preview":{"a":1}}`, outcome: audit.Success(), by: audit.ByDispatcher,
	},
	{site: "runTool: c.notFound()", act: run("no such", `{}`), reply: "error 0 tool not found: no such", outcome: audit.ToolNotFound(), by: audit.ByDispatcher},
	{
		site: "runTool: c.denied(missing)", act: run("write", `{}`),
		reply:   `error 1001 capability denied for write: missing ["admin", "write"] {"required":["admin","write"],"granted":[],"missing":["admin","write"]}`,
		outcome: audit.CapabilityDenied([]string{"admin", "write"}), by: audit.ByPolicy,
	},
	{
		site: "runTool: c.limited()", act: func(t *testing.T, r *rig) Response {
			if err := r.registry.Saturate("single"); err != nil {
				t.Fatal(err)
			}
			return r.run(NewSession(nil), "single", `{}`)
		},
		reply:   `error 1002 retryable rate limited for single: max_concurrent=1 in-flight {"tool_id":"single","limit":1}`,
		outcome: audit.RateLimited(0), by: audit.ByLimiter,
	},
	{
		site: "runTool: c.brokerFailed(err)", opts: Options{Broker: brokerFunc(func() (Secrets, error) { return nil, errors.New("vault sealed") })},
		act: run("echo", `{}`), reply: "error 1003 retryable token broker error for echo: vault sealed",
		outcome: audit.ExecutionFailed("broker_error", true), by: audit.ByDispatcher,
	},
	{
		site: "runTool: c.brokerFailed(err)", opts: Options{Broker: brokerFunc(func() (Secrets, error) { panic("x") })},
		act: run("echo", `{}`), reply: "error 1003 retryable token broker error for echo: the broker panicked",
		outcome: audit.ExecutionFailed("broker_error", true), by: audit.ByDispatcher,
	},
	{
		site: "runTool: c.invalidArgs(why)", act: run("typed", `{"path":7}`),
		reply: "error 0 invalid args for typed: /path: got number, want string", outcome: audit.InvalidArgs("/path: got number, want string"), by: audit.ByDispatcher,
	},
	{
		site: "runTool: c.unrecorded(err)", opts: Options{Intents: intentFunc(func() error { return errors.New("disk full") })},
		act: run("destroy", `{}`), reply: `failed {"code":"UNRECORDED","message":"the call could not be recorded before it ran, so it did not run","retryable":true}`,
		outcome: audit.ExecutionFailed("UNRECORDED", true), by: audit.ByPolicy,
	},
	{
		site: "runTool: c.unrecorded(err)", opts: Options{Intents: intentFunc(func() error { panic("x") })},
		act: run("destroy", `{}`), reply: `failed {"code":"UNRECORDED","message":"the call could not be recorded before it ran, so it did not run","retryable":true}`,
		outcome: audit.ExecutionFailed("UNRECORDED", true), by: audit.ByPolicy,
	},
	{site: "runTool: c.end(c.execute(ctx))", act: run("echo", `{"a":1}`), reply: `ok {"echoed":{"a":1}}`, outcome: audit.Success(), by: audit.ByTool},

	{site: "end: c.panicked(audit.ByTool)", act: run("panics", `{}`), reply: `failed {"code":"PANIC","message":"the tool panicked","retryable":false}`, outcome: audit.ExecutionFailed("PANIC", false), by: audit.ByTool},
	{site: "end: c.cutOff(r.cutOff)", act: run("stubborn", `{}`), reply: `failed {"code":"TIMEOUT","message":"no result within 30ms","retryable":true}`, outcome: audit.ExecutionFailed("TIMEOUT", true), by: audit.ByDispatcher},
	{site: "end: c.cutOff(r.cutOff)", act: run("obedient", `{}`), reply: `failed {"code":"TIMEOUT","message":"no result within 30ms","retryable":true}`, outcome: audit.ExecutionFailed("TIMEOUT", true), by: audit.ByDispatcher},
	{site: "cutOff: client", act: cancelled("patient", ErrClientGone), reply: `failed {"code":"CLIENT_GONE","message":"the client left","retryable":false}`, outcome: audit.ExecutionFailed("CLIENT_GONE", false), by: audit.ByClient},
	{site: "cutOff: server", act: cancelled("patient", nil), reply: `failed {"code":"CANCELLED","message":"the call was cancelled: the server ends","retryable":true}`, outcome: audit.ExecutionFailed("CANCELLED", true), by: audit.ByDispatcher},
	{site: "end: c.succeeded(r)", act: run("hidden", `null`), reply: `ok "ok"`, outcome: audit.Success(), by: audit.ByTool},
	{site: "end: c.failed(audit.ByTool, failure)", act: run("missing-file", `{}`), reply: `failed {"code":"NOT_FOUND","message":"no /home/alice/x","retryable":false}`, outcome: audit.ExecutionFailed("NOT_FOUND", false), by: audit.ByTool},
	{site: "end: c.failed(audit.ByTool, failure)", act: run("huge", `{}`), reply: `failed {"code":"OUTPUT_TOO_LARGE","message":"the result has 103 bytes, more than 100","retryable":false}`, outcome: audit.ExecutionFailed("OUTPUT_TOO_LARGE", false), by: audit.ByTool},
	{site: "end: c.invalidArgs(args.Message)", act: run("picky", `{}`), reply: "error 0 invalid args for picky: path: not below /home/alice", outcome: audit.InvalidArgs("path: not below /home/alice"), by: audit.ByTool},
	{site: "end: c.internal(internal)", act: run("broken", `{}`), reply: "error 0 internal error in broken: no temp folder in /home/alice", outcome: audit.ExecutionFailed("INTERNAL", false), by: audit.ByDispatcher},
	{site: "end: c.internal(internal)", act: run("no-json", `{}`), reply: "error 0 internal error in no-json: the result cannot be written as JSON: json: unsupported type: func()", outcome: audit.ExecutionFailed("INTERNAL", false), by: audit.ByDispatcher},
	{site: "end: c.unhandled(r.err)", act: run("odd", `{}`), reply: "error 1999 unhandled error in odd: something odd in /home/alice", outcome: audit.ExecutionFailed("UNHANDLED", false), by: audit.ByTool},
	{
		site: "finish: a panic", opts: Options{Middleware: []Middleware{panicky{}}}, act: run("echo", `{}`),
		reply: `failed {"code":"PANIC","message":"the tool panicked","retryable":false}`, outcome: audit.ExecutionFailed("PANIC", false), by: audit.ByDispatcher,
	},

	{
		site: "continueTool: c.cursorRefused(err)", act: func(_ *testing.T, r *rig) Response { return r.next(NewSession(nil), "rows", "forged") },
		reply: "error 1021 cursor invalid", outcome: audit.ExecutionFailed("CURSOR_INVALID", false), by: audit.ByDispatcher,
	},
	{
		site: "continueTool: c.cursorRefused(err)", act: func(t *testing.T, r *rig) Response {
			s := NewSession(nil)
			cursor := r.firstCursor(t, s, "rows")
			r.cursors.now = func() time.Time { return time.Now().Add(DefaultCursorTTL + 2*time.Second) }
			return r.next(s, "rows", cursor)
		},
		reply: "error 1020 cursor expired; re-issue the original RunTool", outcome: audit.ExecutionFailed("CURSOR_EXPIRED", false), by: audit.ByDispatcher,
	},
	{
		site: "continueTool: c.cursorRefused(errCursorInvalid)", act: func(t *testing.T, r *rig) Response {
			return r.next(r.as(t, "mallory"), "rows", r.firstCursor(t, r.as(t, "alice"), "rows"))
		},
		reply: "error 1021 cursor invalid", outcome: audit.ExecutionFailed("CURSOR_INVALID", false), by: audit.ByDispatcher, page: 2,
	},
	{
		site: "continueTool: c.cursorRefused(errCursorInvalid)", act: func(t *testing.T, r *rig) Response {
			s := NewSession(nil)
			return r.next(s, "rows-guarded", r.firstCursor(t, s, "rows"))
		},
		reply: "error 1021 cursor invalid", outcome: audit.ExecutionFailed("CURSOR_INVALID", false), by: audit.ByDispatcher, page: 2,
	},
	{
		site: "continueTool: c.notFound()", act: func(_ *testing.T, r *rig) Response { return r.next(NewSession(nil), "gone", r.cursorFor("gone")) },
		reply: "error 0 tool not found: gone", outcome: audit.ToolNotFound(), by: audit.ByDispatcher, page: 2,
	},
	{
		site: "continueTool: c.cursorRefused(errCursorInvalid)", act: func(_ *testing.T, r *rig) Response { return r.next(NewSession(nil), "echo", r.cursorFor("echo")) },
		reply: "error 1021 cursor invalid", outcome: audit.ExecutionFailed("CURSOR_INVALID", false), by: audit.ByDispatcher, page: 2,
	},
	{
		site: "continueTool: c.denied(missing)", opts: Options{Allow: []string{"read"}}, act: func(t *testing.T, r *rig) Response {
			cursor := r.firstCursor(t, r.as(t, "alice", "read"), "rows-guarded")
			return r.next(r.as(t, "alice"), "rows-guarded", cursor)
		},
		reply: `error 1001 capability denied for rows-guarded: missing ["read"]`, outcome: audit.CapabilityDenied([]string{"read"}), by: audit.ByPolicy, page: 2,
	},
	{
		site: "continueTool: c.limited()", act: func(t *testing.T, r *rig) Response {
			s := NewSession(nil)
			cursor := r.firstCursor(t, s, "rows-single")
			if err := r.registry.Saturate("rows-single"); err != nil {
				t.Fatal(err)
			}
			return r.next(s, "rows-single", cursor)
		},
		reply: "error 1002 retryable rate limited for rows-single: max_concurrent=1 in-flight", outcome: audit.RateLimited(0), by: audit.ByLimiter, page: 2,
	},
	{
		site: "continueTool: c.unrecorded(err)",
		opts: Options{Intents: &intentsUntil{1}, NeedsIntent: func(*Definition) bool { return true }}, act: func(t *testing.T, r *rig) Response {
			s := NewSession(nil)
			return r.next(s, "rows", r.firstCursor(t, s, "rows"))
		},
		reply:   `failed {"code":"UNRECORDED","message":"the call could not be recorded before it ran, so it did not run","retryable":true}`,
		outcome: audit.ExecutionFailed("UNRECORDED", true), by: audit.ByPolicy, page: 2,
	},
	{
		site: "continueTool: c.end(c.execute(ctx))", act: func(t *testing.T, r *rig) Response {
			s := NewSession(nil)
			return r.next(s, "rows-failing", r.firstCursor(t, s, "rows-failing"))
		},
		reply: `failed {"code":"IO","message":"row 10","retryable":true}`, outcome: audit.ExecutionFailed("IO", true), by: audit.ByTool, page: 2,
	},
	{site: "end: c.internal(internal)", act: run("rows-large-state", `{}`), reply: "error 0 internal error in rows-large-state: the state of the next page is too large", outcome: audit.ExecutionFailed("INTERNAL", false), by: audit.ByDispatcher},
}

// TestEveryEndingMakesOneEvent makes a call end in every way there is.
func TestEveryEndingMakesOneEvent(t *testing.T) {
	for _, e := range endings {
		t.Run(e.site, func(t *testing.T) {
			r := newRig(t, e.opts)
			if got := brief(e.act(t, r)); got != e.reply {
				t.Errorf("answered\n %s\nwant\n %s", got, e.reply)
			}
			ev := r.events.one(t)
			if got, want := outcomeText(ev.Outcome), outcomeText(e.outcome); got != want {
				t.Errorf("outcome %s, want %s", got, want)
			}
			if ev.DecidedBy != e.by || ev.CursorPage != e.page {
				t.Errorf("decided by %v on page %d, want %v on page %d", ev.DecidedBy, ev.CursorPage, e.by, e.page)
			}
			if len(ev.CallID) != 26 || ev.SessionID == "" || ev.GrantedCapabilities == nil || ev.Duration <= 0 || ev.Time.IsZero() {
				t.Errorf("the event is incomplete: %+v", ev)
			}
			if m := r.Snapshot(); m.Running != 0 {
				t.Errorf("%d calls still run", m.Running)
			}
		})
	}
}

// TestEveryReturnIsAnEnding reads the source: each return of the functions
// that decide on a call is an ending, and each has a call above that ends
// there.
func TestEveryReturnIsAnEnding(t *testing.T) {
	sites := map[string]bool{}
	for _, file := range []string{"run.go", "ending.go"} {
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range f.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || !slices.Contains([]string{"runTool", "continueTool", "end"}, fn.Name.Name) {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				ret, ok := n.(*ast.ReturnStmt)
				if !ok {
					return true
				}
				var text strings.Builder
				if err := format.Node(&text, set, ret.Results[0]); err != nil {
					t.Fatal(err)
				}
				if !strings.HasPrefix(text.String(), "c.") {
					t.Errorf("%s: return %s is no ending", set.Position(ret.Pos()), text.String())
				}
				sites[fn.Name.Name+": "+text.String()] = true
				return true
			})
		}
	}
	tested := map[string]bool{}
	for _, e := range endings {
		tested[e.site] = true
	}
	for _, site := range slices.Sorted(maps.Keys(sites)) {
		if !tested[site] {
			t.Errorf("no call ends at %s", site)
		}
	}
	if len(sites) < 20 {
		t.Errorf("only %d returns were found", len(sites))
	}
}

// TestOnlyCallsMakeEvents asks for all that is not a call.
func TestOnlyCallsMakeEvents(t *testing.T) {
	r := newRig(t, Options{})
	s := NewSession(nil)
	for _, q := range []Request{
		Ping{}, Hello{ClientID: "a"}, Hello{UCANTokens: []string{"x"}}, Hello{ClientID: "a", UCANTokens: []string{"x"}},
		ToolList{}, ToolSchema{"echo"}, ToolSchema{"none"}, nil,
	} {
		if reply := r.Handle(context.Background(), s, q); reply == nil {
			t.Errorf("%T has no answer", q)
		}
	}
	if events := r.events.take(); len(events) > 0 {
		t.Errorf("events of no call: %+v", events)
	}
}

// brief is an answer in one line.
func brief(r Response) string {
	switch r := r.(type) {
	case *Error:
		text := "error " + codeText(r.Code)
		if r.Retryable {
			text += " retryable"
		}
		text += " " + r.Message
		if r.Details != nil {
			text += " " + string(r.Details)
		}
		return text
	case *ToolResult:
		text := "failed "
		if r.Success {
			text = "ok "
		}
		if r.DryRun {
			text += "dry "
		}
		return text + string(r.Result)
	}
	return "something else"
}

func codeText(c Code) string {
	b, _ := json.Marshal(c)
	return string(b)
}

func outcomeText(o audit.Outcome) string {
	b, _ := json.Marshal(o)
	return string(b)
}

// cursorFor makes a cursor that is genuine, for any tool.
func (r *rig) cursorFor(tool string) string {
	return r.cursors.seal(&cursor{page: 2, tool: digest(tool), caller: digest("", ""), args: digest("{}")})
}

type brokerFunc func() (Secrets, error)

func (f brokerFunc) Secrets(context.Context, Caller) (Secrets, error) { return f() }

type intentFunc func() error

func (f intentFunc) Intend(context.Context, *audit.CallEvent) error { return f() }

// intentsUntil takes some intents and then no more.
type intentsUntil struct{ left int }

func (i *intentsUntil) Intend(context.Context, *audit.CallEvent) error {
	if i.left--; i.left < 0 {
		return errors.New("disk full")
	}
	return nil
}

// panicky is a middleware that panics.
type panicky struct{}

func (panicky) OnResult(*Call, json.RawMessage) json.RawMessage { panic("middleware") }

func (panicky) OnError(*Call, string, json.RawMessage) (string, json.RawMessage) { panic("middleware") }
