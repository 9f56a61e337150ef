package reftools

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/tooltrail/tooltrail/dispatch"
)

func TestDefinitions(t *testing.T) {
	s := newServer(t)
	want := map[string]string{
		"ref:echo.say": "", "ref:fs.read": "", "ref:fs.write": "write", "ref:fs.edit": "write", "ref:fs.glob": "",
		"ref:fs.grep": "", "ref:shell.exec": "exec", "ref:web.fetch": "",
		"ref:conformance.denied_op": "conformance.denied", "ref:conformance.saturate_op": "", "ref:conformance.hidden_op": "",
	}
	for id, capability := range want {
		reply, ok := s.Handle(t.Context(), s.session(), dispatch.ToolSchema{ToolID: id}).(dispatch.Schema)
		if !ok || strings.Join(reply.Schema.RequiredCapabilities, ",") != capability || !json.Valid(reply.Schema.OutputSchema) {
			t.Errorf("%s: %+v", id, reply)
		}
	}
	list := s.Handle(t.Context(), s.session(), dispatch.ToolList{}).(dispatch.Tools).Tools
	hidden := func(d dispatch.Summary) bool { return d.ID == "ref:conformance.hidden_op" }
	if len(list) != len(want)-1 || slices.ContainsFunc(list, hidden) {
		t.Errorf("%d tools are listed, of %d and a hidden one", len(list), len(want)-1)
	}
}

func TestConformanceTools(t *testing.T) {
	s := newServer(t)
	if got, end := s.call(s.session(), "ref:conformance.hidden_op", `{}`); end != "" || string(got) != `{"ok":true}` {
		t.Errorf("hidden_op: %s, %s", got, end)
	}
	if _, end := s.call(s.session(), "ref:conformance.denied_op", `{}`); !strings.Contains(end, "code 1001") {
		t.Errorf("denied_op: %s", end)
	}
	registry, err := dispatch.NewRegistry(ConformanceTools()...)
	if err != nil {
		t.Fatal(err)
	}
	if err := registry.Saturate(ConformanceSaturated); err != nil {
		t.Error(err)
	}
}

func TestEcho(t *testing.T) {
	s := newServer(t)
	if got, end := s.call(s.session(), "ref:echo.say", `{"text":"ü","n":[1.50]}`); end != "" || string(got) != `{"echoed":{"text":"ü","n":[1.50]}}` {
		t.Errorf("%s, %s", got, end)
	}
	fits := `{"a":"` + strings.Repeat("x", warmOutput-echoFrame-len(`{"a":""}`)) + `"}`
	if got, end := s.call(s.session(), "ref:echo.say", fits); end != "" || !strings.HasPrefix(string(got), `{"echoed"`) {
		t.Errorf("%.80s, %s", got, end)
	}
	over := strings.Replace(fits, "x", "xx", 1)
	if got, end := s.call(s.session(), "ref:echo.say", over); end != "" || string(got) != `{"truncated":true,"original_bytes":4081,"max_output_bytes":4096}` {
		t.Errorf("%.80s, %s", got, end)
	}
	s.ends(s.session(), "ref:echo.say", "invalid args", `[]`)
}

func TestQuotedLenIsWhatJSONTakes(t *testing.T) {
	for _, text := range []string{"", "plain", "\"\\\n\r\t\b\f\x00\x1f\x7f", "ü€😀\u2028\u2029\u0085", "<&>"} {
		var b strings.Builder
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(text); err != nil {
			t.Fatal(err)
		}
		if want := b.Len() - len("\"\"\n"); quotedLen(text) != want {
			t.Errorf("%q: %d, want %d", text, quotedLen(text), want)
		}
		for room := range 40 {
			if part := fit(text, room); quotedLen(part) > room || !strings.HasPrefix(text, part) {
				t.Errorf("%q in %d: %q", text, room, part)
			}
		}
		if fit(text, quotedLen(text)) != text {
			t.Errorf("%q does not fit its own size", text)
		}
	}
}
