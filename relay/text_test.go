package relay

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		in    string
		limit int
		want  string
	}{
		{`plain`, 10, "plain"},
		{`a\"b\\c\/d\b\f\n\r\t`, 99, "a\"b\\c/d\b\f\n\r\t"},
		{`\u0041\u00e9\uD83D\ude00`, 99, "Aé😀"},
		{`\ud83dx\udc00`, 99, "\ufffdx\ufffd"},
		{`\x\u12`, 99, `\x\u12`},
		{`torn\`, 99, `torn\`},
		{`ééé`, 3, "é"},
		{`\u00e9\u00e9\u00e9`, 5, "éé"},
		{`abc`, 0, ""},
	} {
		if got := decode([]byte(c.in), c.limit); got != c.want {
			t.Errorf("decode %s to %d: %q, want %q", c.in, c.limit, got, c.want)
		}
	}
}

// FuzzUnescape compares with encoding/json on strings that it accepts.
func FuzzUnescape(f *testing.F) {
	for _, s := range []string{`a\n`, `\ud83d\ude00`, `\ud83d\u0041`, `\\\"`, `\u00`, `é`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := string(appendUnescaped(nil, []byte(s)))
		var want string
		if utf8.ValidString(s) && json.Unmarshal([]byte(`"`+s+`"`), &want) == nil && got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
		if c := cut([]byte(s), 7); len(c) > 7 || !strings.HasPrefix(s, string(c)) {
			t.Errorf("cut %q: %q", s, c)
		}
	})
}

func TestSaysNotFound(t *testing.T) {
	for _, c := range []struct {
		text, tool string
		want       bool
	}{
		{`unknown tool "x"`, "x", true},
		{"MCP error -32602: Tool x not found", "x", true},
		{"Tool x not found", "x", true},
		{"tool 'x' not found: tool not found", "x", true},
		{"Unknown tool: x", "x", true},
		{"Error: Unknown tool: read-File", "read-File", true},
		{"Tool not found", "x", true},
		{"Tool xy not found", "x", false},
		{"Tool y not found", "x", false},
		{"unknown tool xy", "x", false},
		{"file x not found", "x", false},
		{"not found", "x", false},
		{"Tool x not foundation", "x", false},
		{"", "", false},
	} {
		if got := saysNotFound(c.text, c.tool); got != c.want {
			t.Errorf("%q for %q: %v", c.text, c.tool, got)
		}
	}
}

func TestSaysInvalid(t *testing.T) {
	for text, want := range map[string]bool{
		`validating "arguments": validating root: required: missing properties: ["a"]`: true,
		"MCP error -32602: Input validation error: Invalid arguments for tool x":       true,
		"Input validation error: 'a' is a required property":                           true,
		"input schema validation failed: missing property":                             true,
		"Error executing tool add: 1 validation error for addArguments\na":             true,
		"upstream said: Input validation error":                                        false,
		"validation failed":                                                            false,
		"":                                                                             false,
	} {
		if saysInvalid(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

func TestTraceContext(t *testing.T) {
	const ok = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	if trace, span := traceContext([]byte(ok)); trace != ok[3:35] || span != ok[36:52] {
		t.Error(trace, span)
	}
	if trace, _ := traceContext([]byte("cc" + ok[2:] + "-more")); trace == "" {
		t.Error("a later version is refused")
	}
	for _, bad := range []string{
		"", "00", ok[:54], ok + "0", "ff" + ok[2:], strings.ToUpper(ok), strings.Replace(ok, "b7ad6b7169203331", "0000000000000000", 1),
		strings.Replace(ok, "0af7651916cd43dd8448eb211c80319c", strings.Repeat("0", 32), 1), strings.Replace(ok, "-b7", "_b7", 1),
	} {
		if trace, span := traceContext([]byte(bad)); trace != "" || span != "" {
			t.Errorf("%s: %s %s", bad, trace, span)
		}
	}
}
