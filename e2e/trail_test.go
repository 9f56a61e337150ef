//go:build linux

package e2e

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// An event is what these tests look at of one. They read the trail's files
// themselves, by docs/formats, so that a fault in writing and its mirror image
// in reading do not cancel out.
type event struct {
	CallID  string `json:"call_id"`
	ToolID  string `json:"tool_id"`
	Seq     uint64 `json:"seq"`
	Server  string `json:"server"`
	Outcome struct {
		Kind string `json:"kind"`
		Code string `json:"code"`
	} `json:"outcome"`
	// Lost is {"count":N,…} where events are declared lost, on an event or on
	// a note; a stop note has a number there.
	Lost json.RawMessage `json:"lost"`
}

// lost returns how many events the line declares lost.
func (e event) lost() uint64 {
	var l struct {
		Count uint64 `json:"count"`
	}
	_ = json.Unmarshal(e.Lost, &l) // a number declares nothing
	return l.Count
}

// String is the tool and how the call ended: "echo success",
// "slow execution_failed TIMEOUT".
func (e event) String() string {
	return strings.TrimSpace(e.ToolID + " " + e.Outcome.Kind + " " + e.Outcome.Code)
}

// slots returns the lines of each trail of a home.
func slots(t *testing.T, home string) map[string][]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(home, "*", "[0-9]*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	lines := map[string][]string{}
	for _, file := range files {
		slot := filepath.Base(filepath.Dir(file))
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		s := bufio.NewScanner(f)
		s.Buffer(nil, 1<<20)
		for s.Scan() {
			lines[slot] = append(lines[slot], s.Text())
		}
		f.Close()
		if err := s.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return lines
}

// events returns the events of a home; see account.
func events(t *testing.T, home string) []event {
	t.Helper()
	all, _ := account(t, home)
	return all
}

// account returns the events of a home and how many others are declared lost,
// and checks what holds of every trail: each line is JSON, each call has an id
// of its own, and a number is missing only where a loss is declared.
func account(t *testing.T, home string) (all []event, lost uint64) {
	t.Helper()
	ids := map[string]bool{}
	for slot, lines := range slots(t, home) {
		var last uint64
		for i, line := range lines {
			var e event
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatalf("%s, line %d: %v: %q", slot, i+1, err, line)
			}
			lost += e.lost()
			last += e.lost()
			if strings.HasPrefix(line, `{"note":`) {
				continue
			}
			if ids[e.CallID] || e.CallID == "" {
				t.Errorf("%s, line %d: call id %q twice or none", slot, i+1, e.CallID)
			}
			ids[e.CallID] = true
			if e.Seq != last+1 {
				t.Errorf("%s, line %d: seq %d after %d", slot, i+1, e.Seq, last)
			}
			last = e.Seq
			all = append(all, e)
		}
	}
	return all, lost
}

// wantEvents compares what a home holds with a count of each kind of event.
func wantEvents(t *testing.T, home string, want map[string]int) {
	t.Helper()
	got := map[string]int{}
	for _, e := range events(t, home) {
		got[e.String()]++
	}
	keys := map[string]bool{}
	for k := range got {
		keys[k] = true
	}
	for k := range want {
		keys[k] = true
	}
	for k := range keys {
		if got[k] != want[k] {
			t.Errorf("%d events %q, want %d", got[k], k, want[k])
		}
	}
}

// query returns the lines that the program itself finds.
func query(t *testing.T, home string) []string {
	t.Helper()
	out, talk, err := output(t, []string{tooltrail, "query", "--trail", home, "--json", "--limit", "0"})
	if err != nil {
		t.Fatalf("query: %v: %s", err, talk)
	}
	return strings.Split(strings.TrimSuffix(out, "\n"), "\n")
}

// names returns what each event says.
func names(all []event) (names []string) {
	for _, e := range all {
		names = append(names, e.String())
	}
	return names
}

// wantIntact verifies all trails of a home with the keys that were pinned when
// they were begun.
func wantIntact(t *testing.T, home string) {
	t.Helper()
	if out, talk, err := output(t, []string{tooltrail, "verify", "--trail", home}); err != nil {
		t.Errorf("verify: %v\n%s%s", err, out, talk)
	}
}
