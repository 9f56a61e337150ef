package query

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/trail"
)

// filterCases pair a filter with what it means for a decoded event; ev is nil
// for a note.
var filterCases = []struct {
	words string
	want  func(ev *audit.CallEvent, line []byte) bool
}{
	{"", func(*audit.CallEvent, []byte) bool { return true }},
	{"tool:fs.read", func(ev *audit.CallEvent, _ []byte) bool { return ev != nil && ev.ToolID == "fs.read" }},
	{"tool:fs.*", func(ev *audit.CallEvent, _ []byte) bool { return ev != nil && strings.HasPrefix(ev.ToolID, "fs.") }},
	{"-tool:fs.*,http.get", func(ev *audit.CallEvent, _ []byte) bool {
		return ev == nil || !strings.HasPrefix(ev.ToolID, "fs.") && ev.ToolID != "http.get"
	}},
	{`tool:"quo\"te"`, func(ev *audit.CallEvent, _ []byte) bool { return ev != nil && ev.ToolID == `quo"te` }},
	{"tool:?n?code", func(ev *audit.CallEvent, _ []byte) bool { return ev != nil && ev.ToolID == "ünïcode" }},
	{"outcome:error", func(ev *audit.CallEvent, _ []byte) bool {
		return ev != nil && ev.Outcome.Kind != audit.KindSuccess
	}},
	{"outcome:success", func(ev *audit.CallEvent, _ []byte) bool {
		return ev != nil && ev.Outcome.Kind == audit.KindSuccess
	}},
	{"code:TIMEOUT", func(ev *audit.CallEvent, _ []byte) bool { return ev != nil && ev.Outcome.Code == "TIMEOUT" }},
	{"server:memory", func(ev *audit.CallEvent, _ []byte) bool { return ev != nil && ev.Server == "memory" }},
	{`caller:"my agent" min:10ms`, func(ev *audit.CallEvent, _ []byte) bool {
		return ev != nil && ev.CallerID == "my agent" && ev.Duration >= 10*time.Millisecond
	}},
	{`caller:""`, func(ev *audit.CallEvent, _ []byte) bool { return ev != nil && ev.CallerID == "" }},
	{"session:s3 principal:cli", func(ev *audit.CallEvent, _ []byte) bool {
		return ev != nil && ev.SessionID == "s3" && ev.Principal == "cli"
	}},
	{"id:01kssvp14j4ms4rtcz000001", func(ev *audit.CallEvent, _ []byte) bool {
		return ev != nil && strings.HasPrefix(ev.CallID, "01KSSVP14J4MS4RTCZ000001")
	}},
	{"INSPECTOR", func(_ *audit.CallEvent, line []byte) bool { return bytes.Contains(line, []byte("inspector")) }},
	{"ÜNÏ", func(_ *audit.CallEvent, line []byte) bool { return bytes.Contains(line, []byte("ünï")) }},
	{"since:2026-11-24T12:01:00Z until:2026-11-24T12:03:00Z", func(ev *audit.CallEvent, line []byte) bool {
		at, _ := trail.Line{Bytes: line}.Time()
		return !at.Before(noon.Add(time.Minute)) && at.Before(noon.Add(3*time.Minute))
	}},
}

// TestScanAgreesWithDecoding holds every filter over a home of three trails
// against decoding each line.
func TestScanAgreesWithDecoding(t *testing.T) {
	home := t.TempDir()
	writeTrail(t, filepath.Join(home, "a"), 1, 4, 300)
	writeTrail(t, filepath.Join(home, "b"), 2, 1, 400)
	writeTrail(t, filepath.Join(home, "c"), 3, 7, 60)
	for _, c := range filterCases {
		f := mustParse(t, c.words)
		for _, o := range []ScanOptions{{}, {Notes: true}, {Limit: 25}, {Limit: 900, Notes: true}, {Limit: 1, Thorough: true}} {
			for _, path := range []string{home, filepath.Join(home, "a")} {
				want, wantBad := expected(t, path, o, c.want)
				got, gotBad := scanned(t, path, f, &o)
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%q %+v: %d lines, want %d", c.words, o, len(got), len(want))
				}
				sortBad(gotBad)
				sortBad(wantBad)
				if o.Limit == 0 && !reflect.DeepEqual(gotBad, wantBad) {
					t.Errorf("%q %+v: %d bad lines, want %d", c.words, o, len(gotBad), len(wantBad))
				}
			}
		}
	}
}

func TestScanClipsSuperseded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "t")
	line := func(tool string) string {
		ev := audit.CallEvent{Time: noon, ToolID: tool, Outcome: audit.Success()}
		return string(ev.AppendJSON(nil))
	}
	writeSegment(t, dir, 0, line("a"), line("b"), line("superseded"))
	writeSegment(t, dir, 2, line("c"), line("d"))
	var tools []string
	lines, bad := scanned(t, dir, nil, nil)
	for _, l := range lines {
		ev, _ := audit.Decode(l.Bytes)
		tools = append(tools, ev.ToolID)
	}
	if got := strings.Join(tools, " "); got != "a b c d" || len(bad) > 0 {
		t.Errorf("got %q, %v", got, bad)
	}
}

func TestScanReportsHolesAndLongLines(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "t")
	ev := audit.CallEvent{Time: noon, ToolID: "x", Outcome: audit.Success()}
	good := string(ev.AppendJSON(nil))
	writeSegment(t, dir, 0, good, strings.Repeat("x", trail.MaxLine), strings.Repeat("y", 3*blockSize), good)
	writeSegment(t, dir, 9, good)
	var messages []string
	n := 0
	for line, err := range Scan(t.Context(), dir, nil, nil) {
		if err != nil {
			messages = append(messages, err.Error())
			continue
		}
		n++
		if line.Index != 0 && line.Index != 3 && line.Index != 9 {
			t.Errorf("index %d", line.Index)
		}
	}
	if n != 3 || len(messages) != 3 {
		t.Fatalf("%d lines, messages %q", n, messages)
	}
	for i, want := range []string{"line 1 at offset", "line 2 at offset", "line 4 at offset"} {
		if !strings.Contains(messages[i], want) {
			t.Errorf("message %q lacks %q", messages[i], want)
		}
	}
	if !strings.Contains(messages[2], "5 lines are missing") {
		t.Errorf("message %q", messages[2])
	}
}

func TestScanLeavesOutTheUnfinishedEnd(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "t")
	ev := audit.CallEvent{Time: noon, ToolID: "x", Outcome: audit.Success()}
	good := string(ev.AppendJSON(nil))
	path := writeSegment(t, dir, 0, good, good)
	appendFile(t, path, good[:len(good)/2])
	if lines, bad := scanned(t, dir, nil, nil); len(lines) != 2 || len(bad) != 0 {
		t.Errorf("%d lines, %d bad", len(lines), len(bad))
	}
}

func TestScanSkipsSegmentsOutsideTheTimes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "t")
	at := func(h int, tool string) string {
		ev := audit.CallEvent{Time: noon.Add(time.Duration(h) * time.Hour), ToolID: tool, Outcome: audit.Success()}
		return string(ev.AppendJSON(nil))
	}
	old := writeSegment(t, dir, 0, at(0, "a"), at(20, "strayed"), at(1, "b"))
	setModTime(t, old, noon.Add(time.Hour))
	writeSegment(t, dir, 3, at(10, "c"))
	f := mustParse(t, "since:2026-11-24T20:00:00Z")
	if lines, _ := scanned(t, dir, f, nil); len(lines) != 1 {
		t.Errorf("%d lines, want 1", len(lines))
	}
	if lines, _ := scanned(t, dir, f, &ScanOptions{Thorough: true}); len(lines) != 2 {
		t.Errorf("thorough: %d lines, want 2", len(lines))
	}
}

func TestScanEndsItsGoroutines(t *testing.T) {
	home := t.TempDir()
	writeTrail(t, filepath.Join(home, "a"), 1, 6, 3000)
	writeTrail(t, filepath.Join(home, "b"), 2, 6, 3000)
	before := runtime.NumGoroutine()
	for line, err := range Scan(t.Context(), home, nil, nil) {
		if err == nil && line.Index == 5 {
			break
		}
	}
	// A goroutine counts until a moment after its last statement.
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines after a scan that was broken off, %d before", runtime.NumGoroutine(), before)
}

func TestScanEndsWithItsContext(t *testing.T) {
	home := t.TempDir()
	writeTrail(t, filepath.Join(home, "a"), 1, 6, 3000)
	for _, o := range []*ScanOptions{nil, {Limit: 10}} {
		ctx, cancel := context.WithCancel(t.Context())
		if o != nil {
			cancel()
		}
		var last error
		for _, err := range Scan(ctx, home, nil, o) {
			cancel()
			last = err
		}
		cancel()
		if !errors.Is(last, context.Canceled) {
			t.Errorf("options %v: last error %v", o, last)
		}
	}
}

func TestScanOfNoTrail(t *testing.T) {
	for _, err := range Scan(t.Context(), t.TempDir(), nil, nil) {
		if !errors.Is(err, trail.ErrNotTrail) {
			t.Errorf("error %v", err)
		}
		return
	}
	t.Error("no error")
}
