package dispatch

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/audit"
)

func TestPagesBelongTogether(t *testing.T) {
	r := newRig(t, Options{})
	s := NewSession(nil)
	reply := r.run(s, "rows", `{"q":1}`).(*ToolResult)
	pages := 1
	for ; reply.NextCursor != "" && pages < 20; pages++ {
		if len(reply.NextCursor) > MaxCursor {
			t.Fatalf("a cursor of %d characters", len(reply.NextCursor))
		}
		reply = r.next(s, "rows", reply.NextCursor).(*ToolResult)
	}
	if pages != 10 || !strings.Contains(string(reply.Result), `{"row":99}`) {
		t.Fatalf("%d pages, the last is %s", pages, reply.Result)
	}
	events := r.events.take()
	for i, ev := range events {
		want := uint32(i + 1)
		if i == 0 {
			want = 0
		}
		if ev.CursorPage != want || ev.Outcome.Kind != audit.KindSuccess || i > 0 && ev.ParentCallID != events[0].CallID {
			t.Errorf("event %d is of page %d of %q: %v", i, ev.CursorPage, ev.ParentCallID, ev.Outcome)
		}
	}
	if len(events) != 10 {
		t.Errorf("%d events", len(events))
	}
}

func TestCursorHoldsForItsArguments(t *testing.T) {
	r := newRig(t, Options{})
	s := NewSession(nil)
	cursor := r.firstCursor(t, s, "rows") // arguments: {}
	for args, want := range map[string]bool{`{}`: true, `{"q":2}`: false, ``: true} {
		q := &RunToolContinue{ToolID: "rows", Cursor: cursor}
		if args != "" {
			q.Args = json.RawMessage(args)
		}
		_, ok := r.Handle(context.Background(), s, q).(*ToolResult)
		if ok != want {
			t.Errorf("with %q: %v, want %v", args, ok, want)
		}
	}
}

// TestCursorWithAnyByteChanged changes each character of a cursor.
func TestCursorWithAnyByteChanged(t *testing.T) {
	c := newCursors(nil, 0)
	text := c.seal(&cursor{page: 2, state: []byte("state")})
	for i := range text {
		for _, letter := range "Aa0_" {
			if changed := text[:i] + string(letter) + text[i+1:]; changed != text {
				if _, err := c.open(changed); err != errCursorInvalid {
					t.Fatalf("character %d as %q: %v", i, letter, err)
				}
			}
		}
	}
	if _, err := c.open(text); err != nil {
		t.Fatal(err)
	}
	if _, err := newCursors(c.key, 0).open(text); err != errCursorExpired {
		t.Errorf("of another process with the same key: %v", err)
	}
	if _, err := newCursors(nil, 0).open(text); err != errCursorInvalid {
		t.Errorf("of another process: %v", err)
	}
}

func FuzzCursor(f *testing.F) {
	c := newCursors([]byte(strings.Repeat("k", 32)), 0)
	genuine := c.seal(&cursor{page: 2})
	f.Add(genuine)
	f.Add("")
	f.Add(strings.Repeat("A", 513))
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := c.open(text); err == nil && text != genuine {
			t.Fatalf("a forged cursor holds: %q", text)
		}
	})
}

func TestHello(t *testing.T) {
	tokens := verifierFunc(func(client string, tokens []string) ([]TokenGrant, *Error) {
		if tokens[0] == "bad" {
			return nil, &Error{Code: CodeTokenInvalid}
		}
		return []TokenGrant{{"write", "did:key:z1", 1}, {"read", "did:key:z1", 1}, {"read", "did:key:z1", 1}}, nil
	})
	r := newRig(t, Options{Allow: []string{"read", "exec", "read"}, Tokens: tokens})
	s := NewSession(nil)
	hello := func(h Hello) Response { return r.Handle(context.Background(), s, h) }

	ack := hello(Hello{ClientID: "alice", RequestedCapabilities: []string{"read", "read", "fly"}, UCANTokens: []string{"good"}}).(*HelloAck)
	if want := []string{"read", "write"}; !slices.Equal(ack.GrantedCapabilities, want) {
		t.Errorf("granted %v, want %v", ack.GrantedCapabilities, want)
	}
	r.run(s, "echo", `{}`)
	ev := r.events.one(t)
	want := []audit.Provenance{
		{Cap: "read", Source: audit.ProvenanceSource{Kind: "string_allow_list"}},
		{Cap: "read", Source: audit.ProvenanceSource{Kind: "ucan_chain", IssuerDID: "did:key:z1", ChainDepth: 1}},
		{Cap: "write", Source: audit.ProvenanceSource{Kind: "ucan_chain", IssuerDID: "did:key:z1", ChainDepth: 1}},
	}
	if !reflect.DeepEqual(ev.CapabilityProvenance, want) || ev.CallerID != "alice" {
		t.Errorf("%s with %+v", ev.CallerID, ev.CapabilityProvenance)
	}

	// What is refused changes nothing.
	for _, h := range []Hello{{ClientID: strings.Repeat("x", MaxClientID+1)}, {ClientID: "mallory", UCANTokens: []string{"bad"}}, {UCANTokens: []string{"good"}}} {
		if _, refused := hello(h).(*Error); !refused {
			t.Errorf("%+v was not refused", h)
		}
	}
	r.run(s, "echo", `{}`)
	if ev := r.events.one(t); ev.CallerID != "alice" || len(ev.GrantedCapabilities) != 2 {
		t.Errorf("after a refused hello: %s with %v", ev.CallerID, ev.GrantedCapabilities)
	}

	// A later one replaces everything.
	if ack := hello(Hello{}).(*HelloAck); ack.GrantedCapabilities == nil || len(ack.GrantedCapabilities) != 0 {
		t.Errorf("granted %#v", ack.GrantedCapabilities)
	}
	r.run(s, "echo", `{}`)
	if ev := r.events.one(t); ev.CallerID != "" || len(ev.GrantedCapabilities) != 0 || ev.CapabilityProvenance != nil {
		t.Errorf("after an empty hello: %+v", ev)
	}
}

func TestTokensWithoutRoots(t *testing.T) {
	r := newRig(t, Options{})
	e, ok := r.Handle(context.Background(), NewSession(nil), Hello{ClientID: "a", UCANTokens: []string{"x"}}).(*Error)
	if !ok || e.Code != CodeTokenInvalid {
		t.Errorf("%+v", e)
	}
}

func TestListAndSchema(t *testing.T) {
	r := newRig(t, Options{})
	tools := r.Handle(context.Background(), nil, ToolList{}).(Tools).Tools
	for i, s := range tools {
		if s.ID == "hidden" || i > 0 && tools[i-1].ID >= s.ID {
			t.Errorf("%s stands in the list", s.ID)
		}
	}
	if len(tools) != len(r.tools())-1 {
		t.Errorf("%d tools", len(tools))
	}
	def := r.Handle(context.Background(), nil, ToolSchema{"hidden"}).(Schema).Schema
	text, err := json.Marshal(def)
	if err != nil || strings.Contains(string(text), `"tier"`) {
		t.Errorf("%s: %v", text, err)
	}
	for _, part := range []string{`"data_sensitivity":null`, `"rate_limit_per_min":null`, `"estimated_tokens":null`, `"signature":null`, `"required_capabilities":[]`, `"errors":[]`, `"bindings":[]`, `"visibility":"hidden"`} {
		if !strings.Contains(string(text), part) {
			t.Errorf("%s is not in %s", part, text)
		}
	}
	if e := r.Handle(context.Background(), nil, ToolSchema{"none"}).(*Error); e.Message != "tool not found: none" || e.Code != 0 {
		t.Errorf("%+v", e)
	}
}

// TestArguments names the place of a fault, and never the value.
func TestArguments(t *testing.T) {
	r := newRig(t, Options{})
	for args, want := range map[string]string{
		`{"path":"x","mode":"hunter2!","n":0}`: "invalid args for typed: /mode: does not match the pattern ^[a-z]+$; /n: must be at least 1",
		`{}`:                                   "invalid args for typed: /: lacks path",
		`[]`:                                   "invalid args for typed: /: got array, want object",
		`null`:                                 "invalid args for typed: /: got null, want object",
		`{"path":"a","path":"b"}`:              "invalid args for typed: /path: the key stands twice",
		"{\"path\":\"\xff\"}":                  "invalid args for typed: /path: not UTF-8",
		`{"path":`:                             "invalid args for typed: /path: not JSON",
		strings.Repeat("[", 20000):             "invalid args for typed: the arguments are nested too deep",
	} {
		if got := r.run(NewSession(nil), "typed", args).(*Error).Message; got != want {
			t.Errorf("%.40s:\n got %s\nwant %s", args, got, want)
		}
		if ev := r.events.one(t); ev.Outcome.Kind != audit.KindInvalidArgs || strings.Contains(ev.Outcome.Message, "hunter2") {
			t.Errorf("%.40s: %+v", args, ev.Outcome)
		}
	}
	// A name in other letters is another name, for the schema and for the tool.
	if got := brief(r.run(NewSession(nil), "typed", `{"path":"a","PATH":"b"}`)); got != `ok "a"` {
		t.Error(got)
	}
}

func TestRedaction(t *testing.T) {
	redact, err := RedactPaths("/home/alice/")
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, Options{Middleware: []Middleware{redact}})
	for _, c := range []struct{ tool, args, want string }{
		{"echo", `{"/home/alice":"at /home/alice/x, /home/alicette and \u002fhome/alice","n":[1,"/home/alice"]}`, `ok {"echoed":{"/home/alice":"at <redacted:home>/x, /home/alicette and <redacted:home>","n":[1,"<redacted:home>"]}}`},
		{"home", `{}`, `ok {"/home/alice":"<redacted:home>/x"}`},
		{"missing-file", `{}`, `failed {"code":"NOT_FOUND","message":"no <redacted:home>/x","retryable":false}`},
		{"picky", `{}`, "error 0 invalid args for picky: path: not below <redacted:home>"},
		{"broken", `{}`, "error 0 internal error in broken: no temp folder in <redacted:home>"},
		{"odd", `{}`, "error 1999 unhandled error in odd: something odd in <redacted:home>"},
		{"/home/alice/tool", `{}`, "error 0 tool not found: <redacted:home>/tool"},
	} {
		if got := brief(r.run(NewSession(nil), c.tool, c.args)); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.tool, got, c.want)
		}
		if ev := r.events.one(t); strings.Contains(ev.Outcome.Message, "/home/alice") {
			t.Errorf("%s: the event says %s", c.tool, ev.Outcome.Message)
		}
	}
	for _, home := range []string{"", "/", "relative"} {
		if _, err := RedactPaths(home); err == nil {
			t.Errorf("%q was taken", home)
		}
	}
}

func TestSecretsStaySecret(t *testing.T) {
	var log strings.Builder
	r := newRig(t, Options{
		Broker: NewMemoryBroker(map[string]map[string]string{"alice": {"TOKEN": "hunter2", "EMPTY": ""}}),
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	s := r.as(t, "alice")
	if got, want := brief(r.run(s, "secret", `{}`)), `failed {"code":"AUTH","message":"token [secret] refused","retryable":false}`; got != want {
		t.Errorf("got %s", got)
	}
	if ev := r.events.one(t); !ev.SecretsResolved {
		t.Error("the event does not say that there were secrets")
	}
	r.run(NewSession(nil), "secret", `{}`)
	if ev := r.events.one(t); ev.SecretsResolved {
		t.Error("nobody got secrets")
	}
	overlapping := Secrets{"A": NewSecret("secret"), "B": NewSecret("my secret"), "C": NewSecret("")}
	if got := overlapping.Scrub("my secret is secret"); got != "[secret] is [secret]" {
		t.Error(got)
	}
	secret := NewSecret("hunter2")
	text, _ := json.Marshal(map[string]any{"s": secret, "p": &secret})
	for _, shown := range []string{fmt.Sprintf("%v %s %q %+v %#v %x %d", secret, secret, secret, secret, secret, secret, secret), string(text), log.String()} {
		if strings.Contains(shown, "hunter2") || strings.Contains(shown, "68756e74657232") {
			t.Errorf("shown: %s", shown)
		}
	}
}

// TestPermitComesBack holds up the only permit of a tool that ignores its
// deadline: it is rate limited for a while, and not for ever.
func TestPermitComesBack(t *testing.T) {
	r := newRig(t, Options{})
	s := NewSession(nil)
	r.run(s, "stubborn", `{}`)
	if got := brief(r.run(s, "stubborn", `{}`)); !strings.HasPrefix(got, "error 1002") {
		t.Fatalf("at once: %s", got)
	}
	if m := r.Snapshot(); m.Overrunning != 1 {
		t.Errorf("%d calls overrun", m.Overrunning)
	}
	for range 200 {
		if strings.Contains(brief(r.run(s, "stubborn", `{}`)), "TIMEOUT") {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Error("the permit never came back")
}

// TestStuckToolIsGivenUp calls a tool without a limit that never returns: the
// goroutines that it costs are bounded.
func TestStuckToolIsGivenUp(t *testing.T) {
	r := newRig(t, Options{Tiers: map[Tier]Limits{TierHot: {Timeout: time.Millisecond}}})
	e := r.registry.entries["stubborn"]
	e.slots.limit = 0
	var calls sync.WaitGroup
	for range 2 * maxOverruns {
		calls.Go(func() { r.run(NewSession(nil), "stubborn", `{}`) })
	}
	calls.Wait()
	for range maxOverruns {
		r.run(NewSession(nil), "stubborn", `{}`)
	}
	if got := brief(r.run(NewSession(nil), "stubborn", `{}`)); !strings.HasPrefix(got, "error 1002") {
		t.Errorf("a tool with %d calls left behind: %s", e.slots.overruns.Load(), got)
	}
}

func TestMetricsAddUp(t *testing.T) {
	r := newRig(t, Options{})
	s := NewSession(nil)
	for i := range 1000 {
		r.run(s, fmt.Sprintf("unknown-%d", i), `{}`)
	}
	r.run(s, "echo", `{}`)
	r.run(s, "write", `{}`)
	r.Handle(context.Background(), s, Ping{})
	m := r.Snapshot()
	if m.Requests != 1003 || m.Events != 1002 || m.Errors["none"] != 1000 || m.Errors["1001"] != 1 {
		t.Errorf("%+v", m)
	}
	if len(m.Tools) != len(r.tools())+1 || m.Tools[""].Outcomes["tool_not_found"] != 1000 || m.Tools["echo"].Outcomes["success"] != 1 {
		t.Errorf("tools: %+v", m.Tools)
	}
	echo := m.Tools["echo"].Latency
	if echo.Count() != 1 || echo.Quantile(0.5) == 0 || echo.Sum <= 0 {
		t.Errorf("latency: %+v", echo)
	}
}

func TestRegistryRefuses(t *testing.T) {
	for name, d := range map[string]Definition{
		"no id": {}, "long": {ID: strings.Repeat("x", MaxID+1)}, "tier": {ID: "x", Tier: "tepid"}, "visibility": {ID: "x", Visibility: "none"},
		"schema": {ID: "x", InputSchema: json.RawMessage(`{"type":7}`)}, "text": {ID: "x", InputSchema: json.RawMessage(`{`)},
		"elsewhere": {ID: "x", InputSchema: json.RawMessage(`{"$ref":"http://127.0.0.1/schema"}`)},
	} {
		if _, err := NewRegistry(&funcTool{def: d}); err == nil {
			t.Errorf("%s: was taken", name)
		}
	}
	if _, err := NewRegistry(&funcTool{def: Definition{ID: "x"}}, &funcTool{def: Definition{ID: "x"}}); err == nil {
		t.Error("one id was taken twice")
	}
}

func TestSanitize(t *testing.T) {
	files, err := filepath.Glob("testdata/sanitize/*.json")
	if err != nil || len(files) < 12 {
		t.Fatalf("%d fixtures: %v", len(files), err)
	}
	for _, file := range files {
		var f struct {
			Input string `json:"input"`
			Want  string `json:"expect_sanitized"`
		}
		text, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(text, &f)
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := Sanitize(f.Input); got != f.Want {
			t.Errorf("%s: %q, want %q", filepath.Base(file), got, f.Want)
		}
	}
	ids := []string{"a:b", "a.b", "é", "c"}
	if id, ok := Unsanitize("a_b", ids); id != "a:b" || !ok || Sanitize("é") != "_" {
		t.Errorf("%q %v", id, ok)
	}
	if _, ok := Unsanitize("d", ids); ok {
		t.Error("d is the name of none")
	}
	if got := Collisions(ids); len(got) != 1 || !slices.Equal(got["a_b"], []string{"a:b", "a.b"}) {
		t.Errorf("%v", got)
	}
}

type verifierFunc func(string, []string) ([]TokenGrant, *Error)

func (f verifierFunc) VerifyTokens(client string, tokens []string) ([]TokenGrant, *Error) {
	return f(client, tokens)
}

// TestSinkThatPanics harms nobody but itself.
func TestSinkThatPanics(t *testing.T) {
	r := newRig(t, Options{})
	r.opts.Sink = audit.Func(func(*audit.CallEvent) { panic("sink") })
	if got := brief(r.run(NewSession(nil), "echo", `{}`)); got != `ok {"echoed":{}}` {
		t.Error(got)
	}
}
