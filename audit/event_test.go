package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// full is an event with every field set.
func full() *CallEvent {
	at := time.Date(2026, 11, 24, 9, 30, 0, 123_456_789, time.UTC)
	return &CallEvent{
		Time:                 at,
		CallID:               "01KSSVP14J4MS4RTCZJ1GGBCG8",
		ToolID:               "fs.read",
		CallerID:             "agent-A",
		GrantedCapabilities:  []string{"read", "write"},
		Duration:             3_456 * time.Microsecond,
		Outcome:              ExecutionFailed("NOT_FOUND", true),
		Tier:                 TierCold,
		DryRun:               true,
		SecretsResolved:      true,
		CursorPage:           2,
		CapabilityProvenance: []Provenance{{Cap: "read", Source: ProvenanceSource{Kind: "string_allow_list"}}, {Cap: "write", Source: ProvenanceSource{Kind: ucanChain, IssuerDID: "did:key:zEXAMPLE", ChainDepth: 1}}},
		Seq:                  42,
		Lost:                 &Lost{Count: 7, First: at.Add(-time.Second), Last: at.Add(-time.Millisecond), Reason: LossQueueFull},
		Overhead:             12 * time.Microsecond,
		DecidedBy:            ByTool,
		Principal:            "uid:1000",
		SessionID:            "s-1",
		RequestID:            `"7"`,
		TraceID:              "4bf92f3577b34da6a3ce929d0e0e4736",
		SpanID:               "00f067aa0ba902b7",
		ParentCallID:         "01KSSVP14J4MS4RTCZJ1GGBCG7",
		Server:               "filesystem",
		Transport:            TransportStdio,
		Client:               "inspector/0.15.0",
		ArgsBytes:            21,
		ResultBytes:          1 << 20,
		ArgsMAC:              strings.Repeat("ab", 32),
		ResultMAC:            strings.Repeat("cd", 32),
		Args:                 `{"path":"a.txt","n":[1,2.5e3,null]}`,
		Result:               `"cut off: {\"content"`,
		Truncated:            []Truncation{{Field: "result", Bytes: 1 << 20, SHA256: strings.Repeat("ef", 32)}},
		Flags:                []string{FlagAmbiguousKeys},
	}
}

func TestEveryFieldSurvives(t *testing.T) {
	ev := full()
	line := ev.AppendJSON(nil)
	got, err := Decode(line)
	if err != nil {
		t.Fatal(err)
	}
	ev.SchemaVersion = SchemaVersion
	want, have := dump(t, ev), dump(t, got)
	if want != have {
		t.Errorf("decoded event differs\nwant %s\nhave %s\nline %s", want, have, line)
	}
}

func TestFieldOrder(t *testing.T) {
	want := strings.Fields(`ts call_id tool_id caller_id granted_capabilities duration_ms outcome tier dry_run
		schema_version secrets_resolved cursor_page capability_provenance seq lost duration_us overhead_us decided_by
		principal session_id request_id trace_id span_id parent_call_id server transport client args_bytes result_bytes
		args_mac result_mac args result truncated flags`)
	var have []string
	d := json.NewDecoder(bytes.NewReader(full().AppendJSON(nil)))
	depth := 0
	for key := true; ; {
		token, err := d.Token()
		if err != nil {
			break
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
			key = true
			continue
		case json.Delim('}'), json.Delim(']'):
			depth--
			key = true
			continue
		}
		if depth != 1 {
			continue
		}
		if key {
			have = append(have, token.(string))
		}
		key = !key
	}
	if strings.Join(have, " ") != strings.Join(want, " ") {
		t.Errorf("fields are\n%s\nwant\n%s", have, want)
	}
}

// The lines in testdata were composed from the field rules of ATD's versions 1
// to 3.
func TestLinesOfEarlierVersions(t *testing.T) {
	files, err := filepath.Glob("testdata/atd/v*.jsonl")
	if err != nil || len(files) != 4 {
		t.Fatalf("want 4 files of lines, have %v (%v)", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			for _, line := range readLines(t, file) {
				checkEarlierLine(t, line)
			}
		})
	}
}

func checkEarlierLine(t *testing.T, line string) {
	t.Helper()
	ev, err := Decode([]byte(line))
	if err != nil {
		t.Errorf("%v in %s", err, line)
		return
	}
	again := string(ev.AppendJSON(nil))
	if !strings.Contains(line, `"schema_version":3`) {
		if second, err := Decode([]byte(again)); err != nil || dump(t, second) == "" {
			t.Errorf("re-encoded line does not decode: %v", err)
		}
		return
	}
	want := strings.Replace(line, `"schema_version":3`, `"schema_version":4`, 1)
	ours := strings.LastIndex(again, `,"duration_us":`)
	if again[:ours]+"}" != want {
		t.Errorf("re-encoded\n%s\nwant\n%s", again, want)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, line := range map[string]string{
		"nothing":         ``,
		"no object":       `[]`,
		"cut":             `{"ts":"2026-05-29T12:34:56Z","tool_id":"x","outcome":{"kind":"suc`,
		"text behind":     `{"ts":"2026-05-29T12:34:56Z","tool_id":"x","outcome":{"kind":"success"}} {}`,
		"no outcome":      `{"ts":"2026-05-29T12:34:56Z","tool_id":"x"}`,
		"no kind":         `{"ts":"2026-05-29T12:34:56Z","tool_id":"x","outcome":{}}`,
		"other kind":      `{"ts":"2026-05-29T12:34:56Z","tool_id":"x","outcome":{"kind":"maybe"}}`,
		"no time":         `{"ts":"yesterday","tool_id":"x","outcome":{"kind":"success"}}`,
		"other type":      `{"ts":"2026-05-29T12:34:56Z","tool_id":7,"outcome":{"kind":"success"}}`,
		"negative number": `{"ts":"2026-05-29T12:34:56Z","tool_id":"x","outcome":{"kind":"success"},"seq":-1}`,
	} {
		if ev, err := Decode([]byte(line)); err == nil {
			t.Errorf("%s: decoded as %+v", name, ev)
		}
	}
}

func TestDecodeIgnoresWhatItDoesNotKnow(t *testing.T) {
	line := `{ "future" : [{"a":"]"},[[]],null], "outcome":{"kind":"success","why":{}},
		"transport":"carrier_pigeon","decided_by":"fate","tool_id":"x", "ts":"2026-05-29T14:34:56.5+02:00","caller_id":null}`
	ev, err := Decode([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2026, 5, 29, 12, 34, 56, 500_000_000, time.UTC); !ev.Time.Equal(want) {
		t.Errorf("time is %v, want %v", ev.Time, want)
	}
	if ev.ToolID != "x" || ev.Outcome.Kind != KindSuccess || ev.Transport != TransportUnknown || ev.DecidedBy != ByUnknown {
		t.Errorf("decoded %+v", ev)
	}
}

func TestUnsetOutcomeIsNoSuccess(t *testing.T) {
	ev, err := Decode((&CallEvent{ToolID: "x"}).AppendJSON(nil))
	if err != nil || ev.Outcome.Kind != KindExecutionFailed || ev.Outcome.Code != CodeInternal {
		t.Errorf("decoded %+v, %v", ev, err)
	}
}

func TestTimeForm(t *testing.T) {
	base := time.Date(2026, 5, 29, 12, 34, 56, 0, time.UTC)
	for nanos, want := range map[int]string{
		0:           "2026-05-29T12:34:56+00:00",
		500_000_000: "2026-05-29T12:34:56.500+00:00",
		1_000:       "2026-05-29T12:34:56.000001+00:00",
		789_012_345: "2026-05-29T12:34:56.789012345+00:00",
	} {
		at := base.Add(time.Duration(nanos)).In(time.FixedZone("", 7200))
		if have := string(AppendTime(nil, at)); have != want {
			t.Errorf("%d ns: %s, want %s", nanos, have, want)
		}
	}
	var c clock
	for _, at := range []time.Time{minTime.Add(-time.Hour), maxTime.Add(time.Hour), base, base.Add(time.Second), base.Add(-time.Nanosecond)} {
		if have, want := string(c.append(nil, at)), string(AppendTime(nil, at)); have != want {
			t.Errorf("with a remembered second %s, without %s", have, want)
		}
	}
}

func readLines(t *testing.T, file string) []string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var lines []string
	for s := bufio.NewScanner(f); s.Scan(); {
		lines = append(lines, s.Text())
	}
	return lines
}

// dump prints an event so that two can be compared, pointers followed.
func dump(t *testing.T, ev *CallEvent) string {
	t.Helper()
	type plain CallEvent
	text, err := json.Marshal((*plain)(ev))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
