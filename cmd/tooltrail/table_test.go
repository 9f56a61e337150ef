package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/internal/term"
	"github.com/tooltrail/tooltrail/trail"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sampleLines are lines with everything that makes a table hard.
func sampleLines() []trail.Line {
	at := time.Date(2026, 11, 24, 23, 59, 59, 0, time.UTC)
	events := []audit.CallEvent{
		{ToolID: "read_text_file", CallerID: "inspector", Outcome: audit.Success(), Duration: 3456 * time.Microsecond},
		{ToolID: "a_tool_with_a_name_that_does_not_want_to_end_before_the_line_does", CallerID: "ci", Outcome: audit.ToolNotFound()},
		{ToolID: "検索ツール", CallerID: "エージェント", Outcome: audit.RateLimited(time.Second), Duration: 90 * time.Second},
		{ToolID: "\x1b]0;owned\x07", CallerID: "a\u202eb\u200b", Outcome: audit.InvalidArgs("line one\nline two\x1b[2J"), Duration: time.Hour},
		{ToolID: "pay", Outcome: audit.CapabilityDenied([]string{"money", "network"}), Duration: 999 * time.Microsecond, Lost: &audit.Lost{Count: 3, Reason: audit.LossKilled}},
		{ToolID: "big", CallerID: "ci", Outcome: audit.ExecutionFailed("RPC_-32603", true), Duration: 250 * time.Millisecond, DryRun: true},
	}
	var lines []trail.Line
	for i, ev := range events {
		ev.Time = at.Add(time.Duration(i) * 300 * time.Millisecond)
		ev.Server = "files"
		ev.CallID = fmt.Sprintf("01KSSVP14J4MS4RTCZJ1GGBC%02d", i)
		lines = append(lines, trail.Line{Trail: "files", Bytes: ev.AppendJSON(nil)})
	}
	note := `{"note":"degraded","ts":"2026-11-25T00:00:02+00:00","reason":"sync","segment":"x","new_segment":"y","moved":2,"seq":9,"lost":{"count":2,"reason":"write_failed"}}`
	return append(lines, trail.Line{Trail: "files", Bytes: []byte(note)})
}

func TestTableGolden(t *testing.T) {
	for _, c := range []struct {
		name    string
		columns int
		colour  bool
		servers bool
		ids     bool
	}{
		{"piped", 0, false, true, false},
		{"wide", 140, false, true, false},
		{"narrow", 72, false, false, false},
		{"tiny", 20, false, true, false},
		{"coloured", 100, true, true, false},
		{"ids", 80, false, false, true},
		{"wide-ids", 120, false, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b strings.Builder
			tab := &table{w: &b, palette: term.Palette{On: c.colour}, columns: func() int { return c.columns }, zone: time.UTC, servers: c.servers, ids: c.ids, wanted: everything}
			for _, l := range sampleLines() {
				if err := tab.add(l); err != nil {
					t.Fatal(err)
				}
			}
			if err := tab.flush(); err != nil {
				t.Fatal(err)
			}
			golden(t, "table-"+c.name+".golden", b.String())
			if c.columns >= 72 && !c.colour {
				for line := range strings.Lines(b.String()) {
					if w := term.Width(strings.TrimSuffix(line, "\n")); w > c.columns {
						t.Errorf("%d columns: %q", w, line)
					}
				}
			}
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; go test -update writes it anew. Got:\n%s", name, got)
	}
}

func TestFit(t *testing.T) {
	for _, c := range []struct {
		natural []int
		room    int
		want    []int
	}{
		{[]int{5, 5, 5}, 30, []int{5, 5, 5}},
		{[]int{5, 50, 5}, 30, []int{5, 20, 5}},
		{[]int{50, 50, 4}, 30, []int{13, 13, 4}},
		{[]int{50, 50}, 3, []int{4, 4}},
	} {
		if got := fit(c.natural, c.room); !slices.Equal(got, c.want) {
			t.Errorf("fit(%v, %d) = %v, want %v", c.natural, c.room, got, c.want)
		}
	}
}

func TestShortDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                         "0 µs",
		999 * time.Microsecond:    "999 µs",
		1999 * time.Microsecond:   "1.9 ms",
		99_990 * time.Microsecond: "99.9 ms",
		100 * time.Millisecond:    "100 ms",
		time.Second:               "1.00 s",
		59_999 * time.Millisecond: "59.99 s",
		61 * time.Second:          "1m1s",
		25 * time.Hour:            "25h0m0s",
	} {
		if got := shortDuration(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

func TestShieldNegations(t *testing.T) {
	got := shieldNegations([]string{"tail", "-f", "-tool:x", "-nope:", "-n", "5", "--color=never", "-x:y", "--", "-tool:y"})
	want := []string{"tail", "-f", "\x00tool:x", "\x00nope:", "-n", "5", "--color=never", "-x:y", "--", "-tool:y"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if words := filterWords(got); words[2] != "-tool:x" {
		t.Errorf("given back as %q", words[2])
	}
}

func TestNearest(t *testing.T) {
	names := []string{"follow", "lines", "json", "trail", "color"}
	for word, want := range map[string]string{"folow": "follow", "jsno": "json", "colour": "color", "foll": "follow", "zebra": "", "x": ""} {
		if got := nearest(word, names); got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
}

func TestPalette(t *testing.T) {
	env := map[string]string{}
	a := &app{colour: "auto", lookup: func(k string) (string, bool) { v, ok := env[k]; return v, ok }}
	if a.outPalette().On {
		t.Error("colour without a terminal")
	}
	a.colour = "always"
	env["NO_COLOR"] = "1"
	if !a.outPalette().On {
		t.Error("--color=always does not win over NO_COLOR")
	}
}
