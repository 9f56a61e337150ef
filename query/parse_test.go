package query

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestCanonicalForm(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"  tool:a   TOOL:b,c ", "tool:a tool:b,c"},
		{`caller:"my agent" -tool:fs.*`, `caller:"my agent" -tool:fs.*`},
		{`tool:"a*b"*`, `tool:"a*b"*`},
		{`tool:"plain"`, "tool:plain"},
		{`tool:x"y,z"`, `tool:"xy,z"`},
		{`caller:""`, `caller:""`},
		{`"foo:bar" -"-x" http`, `"foo:bar" -"-x" http`},
		{`"quo\"te\\"`, `"quo\"te\\"`},
		{"outcome:ERROR,success", "outcome:error,success"},
		{"outcome:*_failed", "outcome:*_failed"},
		{"min:1500ms", "min:1.5s"},
		{"id:01kssv", "id:01KSSV"},
		{"since:2h", "since:2026-11-24T10:00:00Z"},
		{"since:1w3d", "since:2026-11-14T12:00:00Z"},
		{"since:1d12h", "since:2026-11-23T00:00:00Z"},
		{"since:90m", "since:2026-11-24T10:30:00Z"},
		{"since:2026-11-24", "since:2026-11-24T00:00:00Z"},
		{"until:2026-11-24", "until:2026-11-25T00:00:00Z"},
		{"since:15:04", "since:2026-11-24T15:04:00Z"},
		{"since:2026-11-24T09:30", "since:2026-11-24T09:30:00Z"},
		{`since:"2026-11-24 09:30"`, "since:2026-11-24T09:30:00Z"},
		{"-since:2026-11-24T09:30:00.5+01:00", "-since:2026-11-24T08:30:00.5Z"},
	} {
		f, err := Parse([]string{c.in}, noon)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
		} else if f.String() != c.want {
			t.Errorf("%s: canonical form %s, want %s", c.in, f, c.want)
		}
	}
}

// TestTimesWithoutAZoneAreLocal: they are in the zone of now.
func TestTimesWithoutAZoneAreLocal(t *testing.T) {
	zone := time.FixedZone("two", 2*3600)
	f, err := Parse([]string{"since:15:04", "until:2026-11-24"}, noon.In(zone))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := f.String(), "since:2026-11-24T13:04:00Z until:2026-11-24T22:00:00Z"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ in, word, message string }{
		{"tol:x", "tol:x", "unknown word tol:, did you mean tool:? (one of tool: caller: outcome:"},
		{"--tool:x", "--tool:x", "did you mean tool:?"},
		{"zzzzzzz:x", "zzzzzzz:x", "unknown word zzzzzzz: (one of tool:"},
		{"a outcome:eror", "outcome:eror", "unknown outcome eror, did you mean error? (one of success"},
		{"outcome:time*", "outcome:time*", "unknown outcome time*"},
		{"tool:", "tool:", "a value is missing"},
		{"tool:a,,b", "tool:a,,b", "a value is missing"},
		{"tool:a,", "tool:a,", "a value is missing"},
		{"since:yesterday", "since:yesterday", "want a time such as"},
		{"since:-2h", "since:-2h", "want a time"},
		{"since:99999999999d", "since:99999999999d", "want a time"},
		{"min:-1s", "min:-1s", "want a duration"},
		{"min:50", "min:50", "want a duration"},
		{`x "open`, `"open`, "a quote does not end"},
		{`""`, `""`, "no text"},
		{"a\x00b", "a\x00b", "NUL"},
		{strings.Repeat("x", MaxFilter+1), strings.Repeat("x", 32) + "…", "longer"},
	} {
		_, err := Parse([]string{c.in}, noon)
		var p *ParseError
		if !errors.As(err, &p) {
			t.Errorf("%.40s: error %v, want a *ParseError", c.in, err)
			continue
		}
		if p.Word != c.word || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%.40s: word %q, error %v, want %q, %q", c.in, p.Word, err, c.word, c.message)
		}
	}
}

func TestUnknownErrorCarriesNames(t *testing.T) {
	_, err := Parse([]string{"sever:x"}, noon)
	var u *UnknownError
	if !errors.As(err, &u) || u.What != "word" || u.Name != "sever:" || u.Nearest != "server:" || !slices.Equal(u.Known, Words()) {
		t.Errorf("error %#v", u)
	}
}

func TestRange(t *testing.T) {
	f := mustParse(t, "since:2026-11-20 since:2026-11-22 until:2026-11-23 -until:2026-11-21 -since:2026-11-30")
	since, until := f.Range()
	if got, want := since.Format(time.RFC3339), "2026-11-22T00:00:00Z"; got != want {
		t.Errorf("since %s, want %s", got, want)
	}
	if got, want := until.Format(time.RFC3339), "2026-11-24T00:00:00Z"; got != want {
		t.Errorf("until %s, want %s", got, want)
	}
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"fs.*", "fs.read", true}, {"fs.*", "fs.", true}, {"fs.*", "xfs.", false},
		{"*read*", "a_read_b", true}, {"*read", "read_", false}, {"a?c", "aüc", true},
		{"a?c", "ac", false}, {"*?", "", false}, {"*", "", true}, {"a**b", "ab", true},
		{`"*"`, "x", false}, {`"*"`, "*", true}, {"*ab*ab", "abxabab", true}, {"?", "ab", false},
	} {
		f := mustParse(t, "tool:"+c.pattern)
		if got := f.terms[0].matches([]byte(c.s)); got != c.want {
			t.Errorf("%s matches %q: %t", c.pattern, c.s, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`tool:fs.* -caller:"my agent" outcome:error`, `since:2h until:15:04 min:1.5s`, `"a\"b\\":c ,`, `id:x?,"*"`,
		"-", "--", `-""`, "tool:\xff*", `a"b c"d`, `caller:"",x`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		first, err := Parse([]string{s}, noon)
		if err != nil {
			return
		}
		canonical := first.String()
		second, err := Parse([]string{canonical}, noon.Add(time.Hour))
		if err != nil {
			t.Fatalf("%q became %q: %v", s, canonical, err)
		}
		if second.String() != canonical {
			t.Fatalf("%q became %q, then %q", s, canonical, second)
		}
		line := []byte(`{"ts":"2026-11-24T09:30:00+00:00","call_id":"X","tool_id":"fs.read","outcome":{"kind":"success"}}`)
		if first.Match(line) != second.Match(line) {
			t.Fatalf("%q and %q differ", s, canonical)
		}
	})
}
