package query

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/trail"
)

// exact adds up what Collect does, by decoding each line and keeping every
// duration.
type exact struct {
	calls, errors uint64
	durations     []time.Duration
}

func (e *exact) add(ev *audit.CallEvent) {
	e.calls++
	if ev.Outcome.Kind != audit.KindSuccess {
		e.errors++
	}
	e.durations = append(e.durations, ev.Duration)
}

// near holds quantiles against the exact ones.
func near(t *testing.T, what string, d *Durations, all []time.Duration) {
	t.Helper()
	slices.Sort(all)
	for _, q := range []float64{0, 0.5, 0.95, 0.99, 1} {
		rank := max(int(math.Ceil(q*float64(len(all)))), 1)
		want, got := all[rank-1], d.Quantile(q)
		if diff := math.Abs(float64(got - want)); diff > 0.01*float64(want) {
			t.Errorf("%s: quantile %g is %v, want %v", what, q, got, want)
		}
	}
	if d.Min() != all[0] || d.Max() != all[len(all)-1] || d.Count() != uint64(len(all)) {
		t.Errorf("%s: min %v, max %v, count %d", what, d.Min(), d.Max(), d.Count())
	}
}

func TestCollectAgreesWithDecoding(t *testing.T) {
	home := t.TempDir()
	writeTrail(t, filepath.Join(home, "a"), 1, 4, 700)
	writeTrail(t, filepath.Join(home, "b"), 2, 2, 900)
	for _, c := range filterCases {
		s, err := Collect(t.Context(), home, mustParse(t, c.words), nil)
		if err != nil {
			t.Fatal(err)
		}
		var all exact
		tools, callers := map[string]*exact{}, map[string]*exact{}
		lines, bad := expected(t, home, ScanOptions{}, c.want)
		for _, line := range lines {
			ev, err := audit.Decode(line.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			all.add(ev)
			exactOf(tools, ev.ToolID).add(ev)
			exactOf(callers, ev.CallerID).add(ev)
		}
		if s.Events != all.calls || s.Errors != all.errors || s.Bad != uint64(len(bad)) {
			t.Errorf("%q: %d events, %d errors, %d bad, want %d, %d, %d", c.words, s.Events, s.Errors, s.Bad, all.calls, all.errors, len(bad))
		}
		if all.calls > 0 {
			near(t, c.words, &s.Durations, all.durations)
		}
		sameRows(t, c.words+" tools", &s.Tools, tools)
		sameRows(t, c.words+" callers", &s.Callers, callers)
	}
}

func exactOf(m map[string]*exact, name string) *exact {
	if m[name] == nil {
		m[name] = new(exact)
	}
	return m[name]
}

func sameRows(t *testing.T, what string, g *Group, want map[string]*exact) {
	t.Helper()
	if g.Len() != len(want) {
		t.Errorf("%s: %d rows, want %d", what, g.Len(), len(want))
	}
	for _, r := range g.Rows() {
		w := want[r.Name]
		if w == nil || r.Calls != w.calls || r.Errors != w.errors {
			t.Errorf("%s: row %q of %d calls, %d errors, want %+v", what, r.Name, r.Calls, r.Errors, w)
			continue
		}
		near(t, what+" "+r.Name, &r.Durations, w.durations)
	}
}

func TestCollectDoesNotDependOnProcessors(t *testing.T) {
	home := t.TempDir()
	writeTrail(t, filepath.Join(home, "a"), 1, 9, 60)
	writeTrail(t, filepath.Join(home, "b"), 2, 3, 60)
	var results []*Stats
	for _, n := range []int{1, 4} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(n))
		s, err := Collect(t.Context(), home, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, s)
	}
	if a, b := results[0], results[1]; !reflect.DeepEqual(a.Places, b.Places) || !reflect.DeepEqual(a.Tools.Rows(), b.Tools.Rows()) {
		t.Error("1 and 4 processors give different results")
	}
}

func TestCollectCapsNames(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "t")
	lines := make([]string, MaxNames+500)
	for i := range lines {
		ev := audit.CallEvent{Time: noon, ToolID: fmt.Sprintf("tool%d", i), Outcome: audit.Success()}
		lines[i] = string(ev.AppendJSON(nil))
	}
	writeSegment(t, dir, 0, lines[:6000]...)
	writeSegment(t, dir, 6000, lines[6000:]...)
	s, err := Collect(t.Context(), dir, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	rows := s.Tools.Rows()
	last := rows[len(rows)-1]
	if len(rows) != MaxNames+1 || !last.Other || last.Name != Other || last.Calls != 500 || s.Events != MaxNames+500 {
		t.Errorf("%d rows, the last %q of %d calls", len(rows), last.Name, last.Calls)
	}
}

// TestCollectLosses: by the reason, those of equal notes once, and only those
// in the filter's times.
func TestCollectLosses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "t")
	event := func(h int, n uint64, reason audit.LossReason) string {
		at := noon.Add(time.Duration(h) * time.Minute)
		ev := audit.CallEvent{Time: at, ToolID: "x", Seq: 50, Outcome: audit.Success()}
		ev.Lost = &audit.Lost{Count: n, First: at, Last: at, Reason: reason}
		return string(ev.AppendJSON(nil))
	}
	recovered := `{"note":"recovered","ts":"2026-11-24T12:05:00+00:00","torn":0,"seq":60,"lost":{"count":7,"first_ts":"2026-11-24T12:00:00+00:00","last_ts":"2026-11-24T12:00:00+00:00","reason":"killed"}}`
	explicit := `{"note":"degraded","ts":"2026-11-24T12:05:00+00:00","seq":90,"lost":{"count":2,"first_seq":81,"last_seq":82,"reason":"write_failed"}}`
	stop := `{"note":"stop","ts":"2026-11-24T12:06:00+00:00","written":9,"lost":3,"seq":90}`
	writeSegment(t, dir, 0, event(0, 3, audit.LossQueueFull), recovered)
	writeSegment(t, dir, 2, recovered, explicit, stop, event(20, 4, audit.LossQueueFull))
	for _, c := range []struct {
		words string
		want  map[string]uint64
	}{
		{"", map[string]uint64{"queue_full": 7, "killed": 7, "write_failed": 2}},
		{"tool:none", map[string]uint64{"queue_full": 7, "killed": 7, "write_failed": 2}},
		{"until:2026-11-24T12:10:00Z", map[string]uint64{"queue_full": 3, "killed": 7, "write_failed": 2}},
		{"since:2026-11-24T12:10:00Z", map[string]uint64{"queue_full": 4}},
	} {
		s, err := Collect(t.Context(), dir, mustParse(t, c.words), nil)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(s.Lost, c.want) {
			t.Errorf("%q: lost %v, want %v", c.words, s.Lost, c.want)
		}
	}
	account, err := trail.Check(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := Collect(t.Context(), dir, nil, nil)
	if s.LostEvents() != account.LostEvents() {
		t.Errorf("lost %d, trail.Check says %d", s.LostEvents(), account.LostEvents())
	}
}

func TestCollectTimesAndPlaces(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "t")
	late := audit.CallEvent{Time: noon.Add(time.Hour), ToolID: "x", Outcome: audit.Success()}
	early := audit.CallEvent{Time: noon, ToolID: "x", Outcome: audit.ToolNotFound()}
	path := writeSegment(t, dir, 40, string(late.AppendJSON(nil)), "junk", string(early.AppendJSON(nil)))
	s, err := Collect(t.Context(), dir, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !s.First.Equal(noon) || !s.Last.Equal(noon.Add(time.Hour)) {
		t.Errorf("from %v to %v", s.First, s.Last)
	}
	if s.Bad != 1 || len(s.Places) != 1 || s.Places[0].Segment != path || s.Places[0].Line != 41 || s.Places[0].Offset == 0 {
		t.Errorf("%d bad places: %v", s.Bad, s.Places)
	}
}

func TestDurationsStayWithinOnePercent(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var whole, a, b Durations
	var all []time.Duration
	for i := range 20_000 {
		us := uint64(math.Exp(r.Float64() * 36))
		all = append(all, time.Duration(us)*time.Microsecond)
		whole.add(us)
		if i%2 == 0 {
			a.add(us)
		} else {
			b.add(us)
		}
	}
	a.merge(&b)
	near(t, "whole", &whole, slices.Clone(all))
	near(t, "merged", &a, all)
	for _, us := range []uint64{0, 1, 63, 64, 65, 127, 128, 1 << 40, math.MaxInt64 / 1000, math.MaxUint64} {
		var d Durations
		d.add(us)
		if d.Quantile(0.5) != d.Max() {
			t.Errorf("%d µs: median %v of one, max %v", us, d.Quantile(0.5), d.Max())
		}
	}
}
