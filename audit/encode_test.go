package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestNoStringBreaksTheLine(t *testing.T) {
	for _, s := range []string{
		"plain", "two\nlines\r\n", "tab\tbell\a\x1b[31mred\x1b[0m", "quote\" back\\slash", "\x00\x7f", "é 漢字 🙂",
		"c1 \u0085\u009b31m", "ls \u2028 ps \u2029", "bidi \u202egnp.exe\u202c \u2066x\u2069", "zero\u200bwidth\ufeff",
		"tags \U000e0041\U000e007f", strings.Repeat("x", 7) + "\n", strings.Repeat("y", 8) + "\x1f",
	} {
		text, valid := appendString(nil, s)
		if !valid {
			t.Errorf("%q counts as invalid", s)
		}
		checkHarmless(t, text)
		var back string
		if err := json.Unmarshal(text, &back); err != nil || back != s {
			t.Errorf("%q comes back as %q (%v)", s, back, err)
		}
	}
}

// checkHarmless fails if text has a character that could mislead a terminal or
// a line reader.
func checkHarmless(t *testing.T, text []byte) {
	t.Helper()
	if !utf8.Valid(text) {
		t.Errorf("not UTF-8: %q", text)
	}
	for _, r := range string(text) {
		if r < ' ' || r == 0x7f || r >= 0x80 && deceptive(r) {
			t.Errorf("%q holds %U raw", text, r)
		}
	}
}

func TestInvalidUTF8IsFlagged(t *testing.T) {
	ev := &CallEvent{ToolID: "a\xffb\xc3", Outcome: Success(), Flags: []string{FlagAmbiguousKeys}}
	got, err := Decode(ev.AppendJSON(nil))
	if err != nil {
		t.Fatal(err)
	}
	if got.ToolID != "a\ufffdb\ufffd" || fmt.Sprint(got.Flags) != "[ambiguous_keys invalid_utf8]" {
		t.Errorf("tool %q, flags %v", got.ToolID, got.Flags)
	}
	again, err := Decode(got.AppendJSON(nil))
	if err != nil || fmt.Sprint(again.Flags) != fmt.Sprint(got.Flags) {
		t.Errorf("flags after another round %v (%v)", again.Flags, err)
	}
}

func TestLongStringsAreCut(t *testing.T) {
	tool, message := strings.Repeat("é", 700), strings.Repeat("m", 5000)
	ev := &CallEvent{ToolID: tool, Outcome: InvalidArgs(message)}
	got, err := Decode(ev.AppendJSON(nil))
	if err != nil {
		t.Fatal(err)
	}
	if got.ToolID != tool[:1024] || got.Outcome.Message != message[:4096] {
		t.Errorf("kept %d bytes of the tool, %d of the message", len(got.ToolID), len(got.Outcome.Message))
	}
	digest := sha256.Sum256([]byte(tool))
	want := Truncation{Field: "tool_id", Bytes: 1400, SHA256: hex.EncodeToString(digest[:])}
	if len(got.Truncated) != 2 || got.Truncated[0] != want || got.Truncated[1].Field != "outcome.message" {
		t.Errorf("recorded %+v", got.Truncated)
	}
	if len(ev.Truncated) != 0 || ev.ToolID != tool {
		t.Error("the caller's event was changed")
	}
}

func TestNoLineExceedsTheMaximum(t *testing.T) {
	evil := strings.Repeat("\x01", 1<<16)
	list := make([]string, 10_000)
	provenance := make([]Provenance, 1000)
	truncated := make([]Truncation, 1000)
	for i := range list {
		list[i] = evil
	}
	for i := range provenance {
		provenance[i] = Provenance{Cap: evil, Source: ProvenanceSource{Kind: evil, IssuerDID: evil}}
		truncated[i] = Truncation{Field: evil, Bytes: 1 << 60, SHA256: evil}
	}
	for _, size := range []int{100, 1000, 1 << 16} {
		s := evil[:size]
		ev := &CallEvent{
			CallID: s, ToolID: s, CallerID: s, GrantedCapabilities: list, Outcome: Outcome{Kind: KindCapabilityDenied, Missing: list},
			CapabilityProvenance: provenance, Lost: &Lost{Reason: LossReason(s)}, Principal: s, SessionID: s, RequestID: s, TraceID: s, SpanID: s,
			ParentCallID: s, Server: s, Client: s, ArgsMAC: s, ResultMAC: s, Args: s, Result: s, Truncated: truncated, Flags: list,
		}
		line := ev.AppendJSON(nil)
		if len(line) > MaxLineBytes {
			t.Errorf("strings of %d bytes make a line of %d", size, len(line))
		}
		if _, err := Decode(line); err != nil {
			t.Error(err)
		}
		checkHarmless(t, line)
	}
}

func TestContentStaysJSON(t *testing.T) {
	ev := &CallEvent{ToolID: "x", Args: "{ \"a\" :\n [1, \"\u202e\\u0041\\\"\"] }", Result: `{"cut`}
	line := ev.AppendJSON(nil)
	if !bytes.Contains(line, []byte(`"args":{"a":[1,"\u202e\u0041\""]}`)) {
		t.Errorf("args in %s", line)
	}
	if !bytes.Contains(line, []byte(`"result":"{\"cut"`)) {
		t.Errorf("result in %s", line)
	}
	checkHarmless(t, line)
}

func TestRequestIDKeepsItsType(t *testing.T) {
	for id, want := range map[string]string{
		`1`: `1`, `"1"`: `"1"`, `-1.50e+7`: `-1.50e+7`, `12345678901234567890`: `12345678901234567890`,
		StringID("a\n\"b"): `"a\n\"b"`, `abc`: `"abc"`, `01`: `"01"`, `null`: `"null"`, `"torn`: `"\"torn"`,
	} {
		line := (&CallEvent{ToolID: "x", RequestID: id, Outcome: Success()}).AppendJSON(nil)
		if !bytes.Contains(line, []byte(`"request_id":`+want+`}`)) {
			t.Errorf("id %s: want %s in %s", id, want, line)
		}
	}
}

func TestRetryAfterRoundsUp(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "null", -1: "null", 1: "1", time.Millisecond: "1", time.Millisecond + 1: "2", 1<<63 - 1: "9223372036854",
	} {
		line := (&CallEvent{ToolID: "x", Outcome: RateLimited(d)}).AppendJSON(nil)
		if !bytes.Contains(line, []byte(`"retry_after_ms":`+want+`}`)) {
			t.Errorf("%d ns: want %s in %s", d, want, line)
		}
	}
}

func TestEncodingDoesNotAllocate(t *testing.T) {
	ev := full()
	ev.RequestID, ev.Args, ev.Result = "7", "", "" // captured content is checked by encoding/json
	var e encoder
	dst := e.append(nil, ev)
	if n := testing.AllocsPerRun(100, func() { dst = e.append(dst[:0], ev) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzEncodeDecode(f *testing.F) {
	f.Add("tool", "caller", "cap", "code", "1", `{"a":1}`, uint8(1), int64(1), uint64(3), false)
	f.Add("t\x00\xff\u202e", strings.Repeat("c", 2000), "\"", "\\", `"x"`, "{", uint8(4), int64(-5), uint64(1<<63), true)
	f.Add("", "", "", "", "", `[[" "]]`, uint8(5), int64(1)<<62, uint64(0), true)
	f.Add("x", "", "", "", "1e999", `"1"`, uint8(0), int64(0), uint64(1), false)
	f.Add("x", "", "", "", strings.Repeat("9", 400), "{\"a\":\"\xff\"}", uint8(0), int64(0), uint64(1), false)
	f.Add(strings.Repeat("\xff", 1000), "", "", "", `"\ud800"`, `{"a":1e999}`, uint8(0), int64(0), uint64(1), false)
	f.Fuzz(func(t *testing.T, tool, caller, capability, code, id, args string, kind uint8, n int64, u uint64, yes bool) {
		ev := &CallEvent{
			Time: time.Unix(n%(1<<36), int64(u%1e9)), CallID: code, ToolID: tool, CallerID: caller, GrantedCapabilities: []string{capability, tool},
			Duration: time.Duration(n), Outcome: fuzzOutcome(kind, code, capability, n, yes), Tier: Tier(kind % 3), DryRun: yes, SecretsResolved: !yes,
			CursorPage: uint32(u), Seq: u, DecidedBy: DecidedBy(kind % 7), Principal: caller, RequestID: id, Transport: Transport(kind % 5),
			Server: code, Client: tool, ArgsBytes: n, Args: args, Flags: []string{capability},
			CapabilityProvenance: []Provenance{{Cap: capability, Source: ProvenanceSource{Kind: ucanChain, IssuerDID: code, ChainDepth: kind}}},
		}
		checkLine(t, ev)
	})
}

func fuzzOutcome(kind uint8, code, capability string, n int64, yes bool) Outcome {
	switch OutcomeKind(kind%6 + 1) {
	case KindExecutionFailed:
		return ExecutionFailed(code, yes)
	case KindInvalidArgs:
		return InvalidArgs(code)
	case KindCapabilityDenied:
		return CapabilityDenied([]string{capability})
	case KindRateLimited:
		return RateLimited(time.Duration(n))
	case KindToolNotFound:
		return ToolNotFound()
	}
	return Success()
}

// checkLine holds the promises of an encoded line: one line, harmless, valid
// JSON, within the maximum, and decode(encode(e)) a fixed point.
func checkLine(t *testing.T, ev *CallEvent) {
	t.Helper()
	line := ev.AppendJSON(nil)
	if len(line) > MaxLineBytes || bytes.ContainsAny(line, "\n\r") {
		t.Fatalf("%d bytes: %q", len(line), line)
	}
	checkHarmless(t, line)
	var any map[string]any
	if err := json.Unmarshal(line, &any); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	got, err := Decode(line)
	if err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	if utf8.ValidString(ev.ToolID) && len(ev.ToolID) <= 1024 && len(got.Truncated) == 0 && got.ToolID != ev.ToolID {
		t.Fatalf("tool %q became %q", ev.ToolID, got.ToolID)
	}
	if again := got.AppendJSON(nil); !bytes.Equal(again, line) {
		t.Fatalf("not a fixed point\n%s\n%s", line, again)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(full().AppendJSON(nil))
	f.Add([]byte(`{"note":"start","ts":"2026-05-29T12:34:56Z"}`))
	f.Add([]byte(`{"ts":"2026-05-29T12:34:56Z","tool_id":"\ud800","outcome":{"kind":"success"},"args":[1,"\u2028"]}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		if ev, err := Decode(line); err == nil {
			checkLine(t, ev)
		}
	})
}
