package query

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/trail"
)

// members reads an object by encoding/json; the first of equal keys counts.
func members(b []byte) (map[string]json.RawMessage, bool) {
	d := json.NewDecoder(bytes.NewReader(b))
	if tok, err := d.Token(); err != nil || tok != json.Delim('{') {
		return nil, false
	}
	m := map[string]json.RawMessage{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, false
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return nil, false
		}
		if _, again := m[name.(string)]; !again {
			m[name.(string)] = value
		}
	}
	return m, true
}

// asString reads a JSON string; ok is false for another value.
func asString(raw json.RawMessage) (s string, ok bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	return s, json.Unmarshal(raw, &s) == nil
}

// checkRecord holds the walk over a line that is valid JSON against
// encoding/json.
func checkRecord(t *testing.T, line []byte) {
	t.Helper()
	m, ok := members(line)
	if !ok {
		return
	}
	p := parser{need: math.MaxUint16}
	kind := p.parse(line)
	if want := kindBy(m); kind != want {
		t.Fatalf("%s: kind %v, want %v", line, kind, want)
	}
	if kind != trail.Event {
		return
	}
	for name, got := range map[string]text{
		"tool_id": p.tool, "call_id": p.id, "caller_id": p.caller,
		"server": p.server, "principal": p.principal, "session_id": p.session,
	} {
		want, _ := asString(m[name])
		if string(got.in(line)) != want && utf8.Valid(line) {
			t.Fatalf("%s: %s is %q, want %q", line, name, got.in(line), want)
		}
	}
	for name, got := range map[string]uint64{"duration_us": p.micros, "duration_ms": p.millis, "seq": p.seq} {
		if want, err := strconv.ParseUint(string(m[name]), 10, 64); err == nil && got != want {
			t.Fatalf("%s: %s is %d, want %d", line, name, got, want)
		}
	}
	outcome, _ := members(m["outcome"])
	if want, _ := asString(outcome["code"]); string(p.code.in(line)) != want && utf8.Valid(line) {
		t.Fatalf("%s: code %q, want %q", line, p.code.in(line), want)
	}
	stamp, _ := asString(m["ts"])
	if at, err := time.Parse(time.RFC3339Nano, stamp); err == nil && p.when != nanos(at) {
		t.Fatalf("%s: time %d, want %d", line, p.when, nanos(at))
	}
	short := parser{need: fieldsOfEvent}
	if short.parse(line) != kind || short.outcome != p.outcome || short.when != p.when {
		t.Fatalf("%s: reading less of it gives something else", line)
	}
}

// kindBy says what a line is, by what encoding/json made of it.
func kindBy(m map[string]json.RawMessage) trail.Kind {
	stamp, hasTime := m["ts"]
	s, _ := asString(stamp)
	if _, err := time.Parse(time.RFC3339Nano, s); hasTime && err != nil {
		return trail.Unknown
	}
	_, isTool := asString(m["tool_id"])
	if m["tool_id"] != nil && !isTool {
		return trail.Unknown
	}
	if m["outcome"] != nil {
		outcome, _ := members(m["outcome"])
		kind := ""
		for _, v := range []json.RawMessage{outcome["kind"]} {
			kind, _ = asString(v)
		}
		if outcomeOf([]byte(kind)) == 0 {
			return trail.Unknown
		}
	}
	switch {
	case hasTime && isTool && m["outcome"] != nil:
		return trail.Event
	case m["note"] != nil && !(hasTime && isTool):
		return trail.Note
	}
	return trail.Unknown
}

var oddLines = []string{
	`{ "tool_id" : "a\u0062c" , "outcome":{ "code":"X\n","kind" : "execution_failed" } ,"ts": "2026-11-24T09:30:00Z"}`,
	`{"ts":"2026-11-24T09:30:00.5+02:00","call_id":"a\"b","tool_id":"\ud83d\ude00","outcome":{"kind":"success"}}`,
	`{"ts":"2026-11-24T09:30:00+00:00","call_id":"x","tool_id":"t","granted_capabilities":["]","{"],"duration_ms":7,"outcome":{"kind":"invalid_args","message":"}"},"tier":"hot"}`,
	`{"ts":"2026-11-24T09:30:00+00:00","call_id":"x","tool_id":"t","caller_id":"","granted_capabilities":[],"duration_ms":7,"outcome":{"kind":"success"},"tool_id":"again","server":"s\\"}`,
	`{"tool\u005fid":"t","ts":"2026-11-24T09:30:60+00:00","outcome":{"kind":"success"}}`,
	`{"note":"start","ts":"2026-11-24T09:30:00+00:00"}`, `{"note":1}`, `{}`, ` {"note":""} `, `{"ts":1}`,
	`{"ts":"0001-01-01T00:00:00Z","tool_id":"","outcome":{"kind":"rate_limited","retry_after_ms":null}}`,
	`{"ts":"2026-11-24T09:30:00+00:00","call_id":"x","tool_id":"t","granted_capabilities":[],"duration_ms":7,"outcome":{"kind":"other"}}`,
	`{"ts":"2026-11-24T09:30:00+00:00","tool_id":"t","outcome":{"kind":"success","kind":"other"},"duration_us":18446744073709551615}`,
	`{"ts":"2026-11-24T09:30:00+00:00","tool_id":"t","outcome":{"kind":"success"},"x":[[{"server":"no"}]],"server":null}`,
}

func TestOddLines(t *testing.T) {
	for _, line := range oddLines {
		checkRecord(t, []byte(line))
	}
	r := rand.New(rand.NewPCG(7, 7))
	for i := range 3000 {
		checkRecord(t, someEvent(r, i).AppendJSON(nil))
	}
}

func TestDamagedLinesAreNotOurs(t *testing.T) {
	ev := audit.CallEvent{Time: noon, ToolID: "t", CallID: "x", Outcome: audit.InvalidArgs("m")}
	whole := string(ev.AppendJSON(nil))
	p := parser{need: math.MaxUint16}
	for n := range len(whole) {
		if kind := p.parse([]byte(whole[:n])); kind != trail.Unknown {
			t.Errorf("%s: %v", whole[:n], kind)
		}
	}
	for _, line := range []string{whole + "}", whole + whole, whole[1:], "null", "[]", strings.Replace(whole, ":", "", 1)} {
		if kind := p.parse([]byte(line)); kind != trail.Unknown {
			t.Errorf("%s: %v", line, kind)
		}
	}
}

func FuzzLine(f *testing.F) {
	for _, line := range oddLines {
		f.Add([]byte(line))
	}
	r := rand.New(rand.NewPCG(7, 7))
	for i := range 20 {
		f.Add(someEvent(r, i).AppendJSON(nil))
	}
	filter := mustParse(f, "-tool:a* -caller:b server:* min:0s -word")
	f.Fuzz(func(t *testing.T, line []byte) {
		filter.Match(line)
		new(counter).fuzz(line)
		if json.Valid(line) {
			checkRecord(t, line)
		}
	})
}

// fuzz counts one line.
func (*counter) fuzz(line []byte) {
	c := newCounter(nil)
	c.tally = new(tally)
	if kind := c.parse(line); kind != trail.Unknown {
		c.line(line, kind)
	}
}

func FuzzStamp(f *testing.F) {
	for _, s := range []string{"2026-11-24T09:30:00.123456789+00:00", "2026-02-30T09:30:00Z", "2026-11-24T24:00:00Z", "2026-11-24T09:30:00.Z", "1500-01-01T00:00:00Z", "2026-11-24T09:30:00,5Z"} {
		f.Add(s)
	}
	var s stamper
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := s.nanos([]byte(text))
		at, err := time.Parse(time.RFC3339Nano, text)
		if ok != (err == nil) || ok && got != nanos(at) {
			t.Fatalf("%q: %d, %t, want %v, %v", text, got, ok, at, err)
		}
	})
}
