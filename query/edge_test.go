package query

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/trail"
)

// eventAt returns the line of an event at a distance from noon.
func eventAt(d time.Duration, tool string) string {
	ev := audit.CallEvent{Time: noon.Add(d), CallID: "x", ToolID: tool, Outcome: audit.Success()}
	return string(ev.AppendJSON(nil))
}

// TestBoundsOfTimes: since is inclusive, until exclusive, min inclusive.
func TestBoundsOfTimes(t *testing.T) {
	ev := audit.CallEvent{Time: noon, ToolID: "x", Outcome: audit.Success(), Duration: 50 * time.Millisecond}
	line := ev.AppendJSON(nil)
	for words, want := range map[string]bool{
		"since:12:00": true, "until:12:00": false, "-since:12:00": false, "-until:12:00": true,
		"since:2026-11-24T12:00:00.000000001Z": false, "until:2026-11-24T12:00:00.000000001Z": true,
		"min:50ms": true, "min:50000001ns": false, "-min:50ms": false, "min:0s": true,
	} {
		if got := mustParse(t, words).Match(line); got != want {
			t.Errorf("%s: %t", words, got)
		}
	}
}

func TestDurationOfEarlierSchemas(t *testing.T) {
	line := []byte(`{"ts":"2026-11-24T12:00:00+00:00","call_id":"x","tool_id":"t","granted_capabilities":[],"duration_ms":70,"outcome":{"kind":"success"},"tier":"warm","dry_run":false,"schema_version":3,"secrets_resolved":false}`)
	if !mustParse(t, "min:70ms").Match(line) || mustParse(t, "min:71ms").Match(line) {
		t.Error("duration_ms is not taken where duration_us is absent")
	}
}

// TestNotesAndMatch: a word about a field of events is false for a note.
func TestNotesAndMatch(t *testing.T) {
	note := []byte(`{"note":"start","ts":"2026-11-24T12:00:00+00:00","host":"h"}`)
	for words, want := range map[string]bool{
		"": true, "tool:*": false, "-tool:*": true, "START": true, "since:12:00": true, "since:12:01": false, "min:0s": false, `caller:""`: false,
	} {
		if got := mustParse(t, words).Match(note); got != want {
			t.Errorf("%q: %t", words, got)
		}
	}
	if mustParse(t, "").Match([]byte("junk")) {
		t.Error("junk passes")
	}
}

// TestTheFirstOfEqualKeysCounts, wherever the walk ends.
func TestTheFirstOfEqualKeysCounts(t *testing.T) {
	line := []byte(`{"ts":"2026-11-24T09:30:00+00:00","call_id":"x","tool_id":"t","caller_id":"a","granted_capabilities":[],"duration_ms":7,"outcome":{"kind":"success"},"caller_id":"b","server":"s","server":"u","tool_id":"v","duration_ms":9}`)
	for words, want := range map[string]bool{"caller:a server:s tool:t min:7ms": true, "caller:b": false, "server:u": false, "tool:v": false, "min:8ms": false} {
		if got := mustParse(t, words).Match(line); got != want {
			t.Errorf("%s: %t", words, got)
		}
		if got := mustParse(t, words, "server:*").Match(line); got != want {
			t.Errorf("%s server:*: %t", words, got)
		}
	}
}

// TestTornLinesNeverPass, however little of a line a filter needs.
func TestTornLinesNeverPass(t *testing.T) {
	ev := someEvent(rand.New(rand.NewPCG(1, 1)), 3)
	ev.CapabilityProvenance = []audit.Provenance{{Cap: "c", Source: audit.ProvenanceSource{Kind: "string_allow_list"}}}
	whole := ev.AppendJSON(nil)
	f := mustParse(t, "tool:*")
	for n := range len(whole) {
		if torn := whole[:n]; looksTorn(torn) && f.Match(torn) {
			t.Errorf("%s passes", torn)
		}
	}
	if !f.Match(whole) || !f.Match(append(bytes.Clone(whole), ' ', '\r')) {
		t.Error("the whole line does not pass")
	}
}

// looksTorn reports whether a torn line shows that it is torn at its end; one that
// happens to end in a brace looks whole until it is walked through.
func looksTorn(b []byte) bool { return len(b) == 0 || b[len(b)-1] != '}' }

func TestFinderFindsEveryPlace(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for range 20_000 {
		b := make([]byte, r.IntN(12))
		for i := range b {
			b[i] = "abAB_zZ"[r.IntN(7)]
		}
		word := make([]byte, 1+r.IntN(4))
		for i := range word {
			word[i] = "abAB_zZ"[r.IntN(7)]
		}
		want := strings.Contains(strings.ToLower(string(b)), strings.ToLower(string(word)))
		if got := newFinder(string(word)).in(b); got != want {
			t.Fatalf("%q in %q: %t", word, b, got)
		}
	}
}

// TestMergeWithAClockThatStepsBack holds the order over trails whose clocks
// jump, against package trail's.
func TestMergeWithAClockThatStepsBack(t *testing.T) {
	home := t.TempDir()
	r := rand.New(rand.NewPCG(8, 8))
	for k, name := range []string{"a", "b", "c"} {
		for s := range 3 {
			lines := make([]string, 40)
			for i := range lines {
				at := time.Duration(s*40+i)*time.Second - time.Duration(r.IntN(20))*time.Second
				lines[i] = eventAt(at, fmt.Sprint(k, s, i))
			}
			writeSegment(t, filepath.Join(home, name), s*40, lines...)
		}
	}
	everything := func(*audit.CallEvent, []byte) bool { return true }
	for _, o := range []ScanOptions{{}, {Limit: 5000}} {
		want, _ := expected(t, home, o, everything)
		got, _ := scanned(t, home, nil, &o)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v: the order differs from that of trail.Read", o)
		}
	}
}

// TestSkippingNeedsProof: a segment is read unless both ends, and for since:
// the time of writing too, lie outside.
func TestSkippingNeedsProof(t *testing.T) {
	const far = 48 * time.Hour
	for _, c := range []struct {
		name        string
		first, last time.Duration
		written     time.Duration
		words       string
		skipped     bool
	}{
		{"before", -far, -far, -far, "since:12:00", true},
		{"the last line is within", -far, 0, -far, "since:12:00", false},
		{"the first line is within", 0, -far, -far, "since:12:00", false},
		{"written within", -far, -far, 0, "since:12:00", false},
		{"within the slack", -30 * time.Minute, -30 * time.Minute, -30 * time.Minute, "since:12:00", false},
		{"after", far, far, far, "until:12:00", true},
		{"the first line is before until", -1, far, far, "until:12:00", false},
		{"the last line is before until", far, -1, far, "until:12:00", false},
		{"no bound", -far, -far, -far, "tool:x", false},
	} {
		dir := filepath.Join(t.TempDir(), "t")
		path := writeSegment(t, dir, 0, eventAt(c.first, "a"), eventAt(c.last, "b"))
		setModTime(t, path, noon.Add(c.written))
		writeSegment(t, dir, 2, eventAt(0, "c"))
		segs, err := trail.Segments(dir)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(within(segs, mustParse(t, c.words))) == 1; got != c.skipped {
			t.Errorf("%s: skipped %t", c.name, got)
		}
	}
}
