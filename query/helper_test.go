package query

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/trail"
)

// noon is the time that the tests' filters and events are relative to.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func mustParse(t testing.TB, words ...string) *Filter {
	t.Helper()
	f, err := Parse(words, noon)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

var (
	testTools   = []string{"fs.read", "fs.write", "http.get", "read_text_file", "ünïcode", `quo"te`}
	testCallers = []string{"", "inspector", "cli", "my agent"}
	testServers = []string{"", "filesystem", "memory"}
	testCodes   = []string{audit.CodeToolError, audit.CodeTimeout, "EOWN"}
)

// someEvent returns event i of a stream that is determined by r.
func someEvent(r *rand.Rand, i int) *audit.CallEvent {
	ev := &audit.CallEvent{
		Time:      noon.Add(time.Duration(i) * 700 * time.Millisecond),
		CallID:    fmt.Sprintf("01KSSVP14J4MS4RTCZ%08d", i),
		ToolID:    testTools[r.IntN(len(testTools))],
		CallerID:  testCallers[r.IntN(len(testCallers))],
		Server:    testServers[r.IntN(len(testServers))],
		Principal: testCallers[r.IntN(len(testCallers))],
		SessionID: fmt.Sprintf("s%d", r.IntN(5)),
		Duration:  time.Duration(r.ExpFloat64()*30_000) * time.Microsecond,
		Seq:       uint64(i + 1),
		Transport: audit.TransportStdio,
		DecidedBy: audit.ByTool,
	}
	switch r.IntN(12) {
	case 0:
		ev.Outcome = audit.ExecutionFailed(testCodes[r.IntN(len(testCodes))], true)
	case 1:
		ev.Outcome = audit.InvalidArgs("path: \x1b[31m missing")
	case 2:
		ev.Outcome = audit.CapabilityDenied([]string{"fs:write"})
	case 3:
		ev.Outcome = audit.RateLimited(time.Second)
	case 4:
		ev.Outcome = audit.ToolNotFound()
	default:
		ev.Outcome = audit.Success()
	}
	if r.IntN(9) == 0 {
		ev.Args = `{"tool_id":"fs.read","server":"memory","x":"},\"kind\":\"success\""}`
	}
	return ev
}

// writeSegment makes one segment of a trail.
func writeSegment(t testing.TB, dir string, first int, lines ...string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, fmt.Sprintf("%020d.jsonl", first))
	text := strings.Join(lines, "\n")
	if len(lines) > 0 {
		text += "\n"
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// writeTrail makes a trail of segments segments of n lines each, and sprinkles
// notes and lines that are not ours.
func writeTrail(t testing.TB, dir string, seed uint64, segments, n int) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	for s := range segments {
		lines := make([]string, n)
		for i := range lines {
			k := s*n + i
			ts := string(audit.AppendTime(nil, noon.Add(time.Duration(k)*700*time.Millisecond)))
			switch r.IntN(40) {
			case 0:
				lines[i] = fmt.Sprintf(`{"note":"start","ts":"%s","format":1}`, ts)
			case 1:
				lines[i] = "not ours"
			default:
				lines[i] = string(someEvent(r, k).AppendJSON(nil))
			}
		}
		writeSegment(t, dir, s*n, lines...)
	}
}

// expected reads path by package trail and decodes every line: slow, and right.
func expected(t testing.TB, path string, o ScanOptions, want func(*audit.CallEvent, []byte) bool) (lines []trail.Line, bad []trail.CorruptError) {
	t.Helper()
	for line, err := range trail.Read(path, nil) {
		if err != nil {
			t.Fatal(err)
		}
		ev, err := audit.Decode(line.Bytes)
		switch {
		case errors.Is(err, audit.ErrNote):
			if !o.Notes || !want(nil, line.Bytes) {
				continue
			}
		case err != nil:
			bad = append(bad, trail.CorruptError{Segment: line.Segment, Line: line.Index, Offset: line.Offset})
			continue
		case !want(ev, line.Bytes):
			continue
		}
		line.Bytes = bytes.Clone(line.Bytes)
		lines = append(lines, line)
	}
	if o.Limit > 0 {
		lines = lines[max(0, len(lines)-o.Limit):]
	}
	return lines, bad
}

// scanned collects a scan.
func scanned(t testing.TB, path string, f *Filter, o *ScanOptions) (lines []trail.Line, bad []trail.CorruptError) {
	t.Helper()
	for line, err := range Scan(t.Context(), path, f, o) {
		var c *trail.CorruptError
		switch {
		case errors.As(err, &c):
			bad = append(bad, trail.CorruptError{Segment: c.Segment, Line: c.Line, Offset: c.Offset})
		case err != nil:
			t.Fatal(err)
		default:
			line.Bytes = bytes.Clone(line.Bytes)
			lines = append(lines, line)
		}
	}
	return lines, bad
}

func appendFile(t testing.TB, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

func setModTime(t testing.TB, path string, at time.Time) {
	t.Helper()
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

// sortBad puts bad places into the order of files; between trails a scan gives
// them beside whatever lines pass its filter.
func sortBad(list []trail.CorruptError) {
	slices.SortFunc(list, func(a, b trail.CorruptError) int {
		return cmp.Or(cmp.Compare(a.Segment, b.Segment), cmp.Compare(a.Line, b.Line))
	})
}
