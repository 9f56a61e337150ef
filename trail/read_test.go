package trail

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// put writes a segment by hand.
func put(t *testing.T, dir string, first uint64, content string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, segmentName(first))
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// eventAt is an event line of second s.
func eventAt(s int, id string) string {
	return fmt.Sprintf(`{"ts":"2026-05-29T12:%02d:%02d.5+00:00","call_id":"%s"}`+"\n", s/60, s%60, id)
}

// readAll returns the call ids that Read gives, and the errors.
func readAll(t *testing.T, path string, o *ReadOptions) (ids string, errs []error) {
	t.Helper()
	var list []string
	for line, err := range Read(path, o) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		list = append(list, callID(line.Bytes))
	}
	return strings.Join(list, " "), errs
}

func callID(b []byte) string {
	_, rest, _ := strings.Cut(string(b), `"call_id":"`)
	id, _, _ := strings.Cut(rest, `"`)
	return id
}

func TestReadMergesByTimeAndKeepsEachOrder(t *testing.T) {
	home := t.TempDir()
	put(t, filepath.Join(home, "a"), 0, eventAt(1, "a1")+eventAt(5, "a2")+eventAt(3, "a3")+eventAt(9, "a4"))
	put(t, filepath.Join(home, "b"), 0, eventAt(2, "b1"))
	put(t, filepath.Join(home, "b"), 1, eventAt(4, "b2")+"junk\n"+eventAt(9, "b3")+`{"ts":"2026-`)
	got, errs := readAll(t, home, nil)
	if want := "a1 b1 b2  a2 a3 a4 b3"; got != want || len(errs) > 0 {
		t.Fatalf("got %q %v, want %q", got, errs, want)
	}
}

func TestReadClipsAndReportsHoles(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, 0, eventAt(1, "0")+eventAt(2, "1")+eventAt(3, "not part of it")+"torn")
	put(t, dir, 2, eventAt(3, "2")+strings.Repeat("x", MaxLine)+"\n"+eventAt(4, "4")+"torn")
	put(t, dir, 9, eventAt(5, "9"))
	got, errs := readAll(t, dir, nil)
	if want := "0 1 2 4 9"; got != want {
		t.Fatalf("got %q, want %q", got, want)
	}
	if len(errs) != 2 {
		t.Fatalf("got errors %v, want a long line and a hole", errs)
	}
	var c *CorruptError
	if !errors.As(errs[0], &c) || c.Line != 3 || c.Offset != int64(len(eventAt(3, "2"))) || !errors.Is(c, errLongLine) {
		t.Errorf("long line: %#v", c)
	}
	if !errors.As(errs[1], &c) || c.Line != 5 || !strings.Contains(c.Error(), "4 lines are missing") {
		t.Errorf("hole: %v", c)
	}
	if got, _ := readAll(t, dir, &ReadOptions{From: 4}); got != "4 9" {
		t.Errorf("from 4: %q", got)
	}
}

func TestFindTellsTrailsFromOthers(t *testing.T) {
	home := t.TempDir()
	if _, err := Find(home); !errors.Is(err, ErrNotTrail) {
		t.Errorf("empty home: %v", err)
	}
	put(t, filepath.Join(home, "b"), 0, "")
	put(t, filepath.Join(home, "a"), 0, "")
	if err := os.Mkdir(filepath.Join(home, "keys"), 0o700); err != nil {
		t.Fatal(err)
	}
	dirs, err := Find(home)
	if err != nil || len(dirs) != 2 || filepath.Base(dirs[0]) != "a" {
		t.Errorf("home: %v %v", dirs, err)
	}
	if dirs, err := Find(dirs[0]); err != nil || len(dirs) != 1 {
		t.Errorf("trail: %v %v", dirs, err)
	}
	if _, err := Find(filepath.Join(home, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
}

func TestTimesAgreeWithPackageTime(t *testing.T) {
	for _, s := range []string{
		"2026-05-29T12:34:56.789012345+00:00", "2024-02-29T00:00:00+00:00", "1969-12-31T23:59:59.999Z",
		"2000-03-01T00:00:00.5+00:00", "2026-05-29T12:34:56+02:00",
	} {
		want, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range []string{`{"ts":"` + s + `"}`, `{"note":"start","ts":"` + s + `"}`} {
			if got, ok := (Line{Bytes: []byte(line)}).Time(); !ok || !got.Equal(want) {
				t.Errorf("%s: %v %v", line, got, ok)
			}
		}
	}
	if _, ok := (Line{Bytes: []byte(`{"ts":"2026-13-29T12:34:56Z"}`)}).Time(); ok {
		t.Error("month 13 is accepted")
	}
}

func TestFollowShowsTheLastLinesAndGoesOn(t *testing.T) {
	home := t.TempDir()
	live := put(t, filepath.Join(home, "a"), 0, eventAt(1, "a1")+eventAt(4, "a2")+`{"ts":"torn`)
	put(t, filepath.Join(home, "b"), 0, eventAt(2, "b1")+eventAt(3, "b2"))
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	steps := []func(){
		0: func() {
			os.Truncate(live, int64(len(eventAt(1, "a1")+eventAt(4, "a2"))))
			put(t, filepath.Join(home, "a"), 2, eventAt(5, "a3"))
		},
		1: func() { put(t, filepath.Join(home, "c"), 7, eventAt(6, "c1")) },
		2: cancel,
	}
	want := []string{"b2", "a2", "a3", "c1"}
	n := 0
	for line, err := range Follow(ctx, home, &FollowOptions{Last: 2, Poll: time.Millisecond}) {
		if err != nil {
			t.Fatal(err)
		}
		if got := callID(line.Bytes); n >= len(want) || got != want[n] {
			t.Fatalf("line %d is %q, want %v", n, got, want)
		}
		if n++; n >= 2 {
			steps[n-2]()
		}
	}
	if n != len(want) {
		t.Fatalf("%d lines, want %v", n, want)
	}
}
