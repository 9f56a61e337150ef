package trail

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/audit/audittest"
)

func TestTrailIsAWriter(t *testing.T) {
	audittest.TestWriter(t, func(t *testing.T) (audit.Writer, func() []string) {
		dir := t.TempDir()
		tr := open(t, dir, nil)
		return tr, func() (lines []string) {
			for line, err := range Read(dir, nil) {
				if err != nil {
					t.Error(err)
				}
				if line.Kind() != Note {
					lines = append(lines, string(line.Bytes))
				}
			}
			return lines
		}
	})
}

func TestSeqGoesOnOverRestarts(t *testing.T) {
	dir := t.TempDir()
	for run := range 3 {
		tr := open(t, dir, &Options{MaxBytes: 500})
		if want := uint64(run*10 + 1); tr.NextSeq() != want {
			t.Fatalf("run %d starts at %d, want %d", run, tr.NextSeq(), want)
		}
		for i := range 10 {
			write(t, tr, tr.NextSeq()+uint64(i), 1)
		}
		shut(t, tr)
	}
	if a := balanced(t, dir); a.Events != 30 || a.Last != 30 {
		t.Fatalf("%+v", a)
	}
	if n := len(notes(t, dir, "start")) + len(notes(t, dir, "stop")); n != 6 {
		t.Errorf("%d start and stop notes, want 6", n)
	}
	if got := notes(t, dir, "recovered"); got != nil {
		t.Errorf("clean restarts were recovered: %v", got)
	}
	segs, _ := Segments(dir)
	if len(segs) < 3 {
		t.Fatalf("%d segments", len(segs))
	}
	for _, s := range segs {
		info, _ := os.Stat(s.Path)
		want := os.FileMode(0o400)
		if s.Next == 0 {
			want = 0o600
		}
		if runtime.GOOS != "windows" && info.Mode().Perm() != want {
			t.Errorf("%s has mode %v", s.Path, info.Mode())
		}
	}
}

func TestASecondWriterIsRefused(t *testing.T) {
	dir := t.TempDir()
	tr := open(t, dir, nil)
	var inUse *InUseError
	if _, err := Open(dir, nil); !errors.As(err, &inUse) || inUse.PID != os.Getpid() {
		t.Fatalf("second writer: %v", err)
	}
	shut(t, tr)
	open(t, dir, nil)
}

func TestSlotsAreTakenAndTakenAgain(t *testing.T) {
	home, err := OpenHome(filepath.Join(t.TempDir(), "home"))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	trails := make([]*Trail, 20)
	for i := range trails {
		wg.Go(func() {
			name := fmt.Sprintf("server/%d", i%19)
			tr, err := home.Open(name, nil)
			if err != nil {
				t.Error(err)
				return
			}
			trails[i] = tr
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, tr := range trails {
		if tr == nil || seen[tr.Dir()] {
			t.Fatal("a slot was given twice, or none")
		}
		seen[tr.Dir()] = true
	}
	if !seen[filepath.Join(home.Dir(), "server_0.2")] {
		t.Errorf("no second slot: %v", seen)
	}
	for _, tr := range trails {
		shut(t, tr)
	}
	tr, err := home.Open("server/0", nil)
	if err != nil || tr.Name() != "server_0" {
		t.Fatalf("freed slot: %v %v", tr.Name(), err)
	}
	shut(t, tr)
}

func TestSlotNames(t *testing.T) {
	for name, want := range map[string]string{
		"": "trail", "..": "trail", ".x": "_x", "a/b\x00é": "a_b__", "keys": "_keys", "COM1.x": "_COM1.x", "fs": "fs",
	} {
		if got := SlotName(name); got != want {
			t.Errorf("SlotName(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestNewerFormatIsNotOpened(t *testing.T) {
	dir := t.TempDir()
	shut(t, open(t, dir, nil))
	mark := filepath.Join(dir, stateDir, formatName)
	os.WriteFile(mark, []byte("2\n"), 0o600)
	if _, err := Open(dir, nil); !errors.Is(err, ErrNewerFormat) {
		t.Errorf("by its mark: %v", err)
	}
	os.WriteFile(mark, []byte("1\n"), 0o600)
	f, _ := os.OpenFile(livePath(t, dir), os.O_APPEND|os.O_WRONLY, 0)
	f.WriteString(`{"note":"start","ts":"2026-05-29T12:34:56+00:00","format":2}` + "\n")
	f.Close()
	if _, err := Open(dir, nil); !errors.Is(err, ErrNewerFormat) {
		t.Errorf("by its note: %v", err)
	}
}

func TestBatchesThatAreNotLinesAreRefused(t *testing.T) {
	tr := open(t, t.TempDir(), nil)
	for _, b := range []audit.Batch{
		{Bytes: []byte("x"), Lines: 1}, {Bytes: []byte("x\n"), Lines: 2},
		{Bytes: []byte(strings.Repeat("x", MaxLine) + "\n"), Lines: 1},
	} {
		var we *audit.WriteError
		if err := tr.Write(context.Background(), b); err == nil || errors.As(err, &we) {
			t.Errorf("%d bytes, %d lines: %v", len(b.Bytes), b.Lines, err)
		}
	}
}

func TestRotationByAge(t *testing.T) {
	dir := t.TempDir()
	c := &fakeClock{wall: time.Now()}
	tr := open(t, dir, &Options{MaxAge: time.Hour, clock: c})
	write(t, tr, 1, 1)
	c.advance(2 * time.Hour)
	write(t, tr, 2, 1)
	if segs, _ := Segments(dir); len(segs) != 2 || segs[1].First != 2 {
		t.Fatalf("segments %v", segs)
	}
}

func TestRetentionDeletesWholeSegmentsAfterANote(t *testing.T) {
	dir := t.TempDir()
	tr := open(t, dir, &Options{MaxBytes: 1000, KeepBytes: 4000, SyncEvery: time.Millisecond})
	for i := range 200 {
		write(t, tr, uint64(i+1), 1)
		if i%20 == 0 {
			if err := tr.Sync(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	}
	until(t, "old segments go", func() bool {
		tr.Sync(context.Background())
		tr.wakeSyncer()
		segs, _ := Segments(dir)
		var total int64
		for _, s := range segs {
			total += s.Size
		}
		return segs[0].First > 0 && total < 5500
	})
	shut(t, tr)
	if len(notes(t, dir, "prune")) == 0 {
		t.Error("no prune note")
	}
	a := balanced(t, dir)
	if a.First == 1 || a.Last != 200 {
		t.Errorf("%+v", a)
	}
	if tr := open(t, dir, nil); tr.NextSeq() != 201 {
		t.Errorf("next seq %d", tr.NextSeq())
	}
}

func TestClockSteppingBackIsNoted(t *testing.T) {
	dir := t.TempDir()
	c := &fakeClock{wall: time.Now()}
	tr := open(t, dir, &Options{clock: c})
	c.advance(time.Second)
	write(t, tr, 1, 1)
	c.step(-90 * time.Second)
	write(t, tr, 2, 1)
	c.advance(time.Second)
	write(t, tr, 3, 1)
	oneNote(t, dir, "clock_step", `"back_ms":90000`)
}

// A fakeClock stands still unless told otherwise.
type fakeClock struct {
	mu   sync.Mutex
	wall time.Time
	mono time.Duration
}

func (c *fakeClock) now() (time.Time, time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wall, c.mono
}

func (c *fakeClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wall, c.mono = c.wall.Add(d), c.mono+d
}

func (c *fakeClock) step(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wall = c.wall.Add(d)
}
