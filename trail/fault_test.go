package trail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/audit"
)

// faulty opens a trail on a file system with faults.
func faulty(t *testing.T, o Options) (*Trail, *faultFS, string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the faults are those of Unix")
	}
	f := newFaultFS()
	o.FS = f
	if o.SyncEvery == 0 {
		o.SyncEvery = -1
	}
	dir := filepath.Join(t.TempDir(), "a")
	return open(t, dir, &o), f, dir
}

// deliver writes a batch as a queue does, and gives the faults a chance to end.
func deliver(t *testing.T, tr *Trail, b audit.Batch, between func()) {
	t.Helper()
	for range 1000 {
		err := tr.Write(context.Background(), b)
		if err == nil {
			return
		}
		var we *audit.WriteError
		if !errors.As(err, &we) || !we.Retry {
			t.Fatalf("write: %v", err)
		}
		b = b.Skip(we.Lines)
		between()
		if b.Lines == 0 {
			return
		}
	}
	t.Fatal("the write never succeeds")
}

func TestAFullDisk(t *testing.T) {
	tr, f, dir := faulty(t, Options{})
	write(t, tr, 1, 10)
	f.set(func(f *faultFS) { f.room = 250 })
	var we *audit.WriteError
	b := batch(11, 10)
	err := tr.Write(context.Background(), b)
	if !errors.As(err, &we) || !we.Retry || we.Lines < 1 || we.Lines > 4 || !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("write: %v", err)
	}
	if content := mustRead(t, livePath(t, dir)); content[len(content)-1] != '\n' {
		t.Fatalf("a torn line was left: %q", content[len(content)-50:])
	}
	if s := tr.Stats(); s.State != Degraded || !strings.Contains(s.Reason, "no space") {
		t.Errorf("stats %+v", s)
	}
	f.set(func(f *faultFS) { f.room = -1 })
	deliver(t, tr, b.Skip(we.Lines), func() {})
	shut(t, tr)
	if a := balanced(t, dir); a.Events != 20 {
		t.Errorf("%+v", a)
	}
	oneNote(t, dir, "restored", `"since":"`, "no space left")
	if segs, _ := Segments(dir); len(segs) != 1 {
		t.Errorf("a full disk made segments: %v", segs)
	}
}

func TestATornLineThatCannotBeCut(t *testing.T) {
	tr, f, dir := faulty(t, Options{})
	write(t, tr, 1, 10)
	f.set(func(f *faultFS) { f.room, f.failCuts = 30, 1 })
	b := batch(11, 10)
	deliver(t, tr, b, func() { f.set(func(f *faultFS) { f.room = -1 }) })
	shut(t, tr)
	if a := balanced(t, dir); a.Events != 20 || len(a.Corrupt) > 0 {
		t.Errorf("%+v", a)
	}
}

func TestAWriteFails(t *testing.T) {
	tr, f, dir := faulty(t, Options{})
	write(t, tr, 1, 10)
	if err := tr.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	write(t, tr, 11, 10)
	f.set(func(f *faultFS) { f.failWrites = 1 })
	write(t, tr, 21, 10) // goes to a new segment at once
	if s := tr.Stats(); s.State != OK {
		t.Errorf("stats %+v", s)
	}
	shut(t, tr)
	if a := balanced(t, dir); a.Events != 30 || len(a.Corrupt) > 0 {
		t.Errorf("%+v", a)
	}
	segs, _ := Segments(dir)
	if len(segs) != 2 || segs[1].First != 11 {
		t.Errorf("the new segment does not begin at the first line that was not durable: %+v", segs)
	}
	oneNote(t, dir, "degraded", "input/output error")
	oneNote(t, dir, "restored", "input/output error")
}

func TestASyncFails(t *testing.T) {
	for _, wreck := range []bool{false, true} {
		tr, f, dir := faulty(t, Options{})
		write(t, tr, 1, 10)
		f.set(func(f *faultFS) { f.failSyncs, f.wreck = 1, wreck })
		if err := tr.Sync(context.Background()); err != nil {
			t.Fatal(err)
		}
		shut(t, tr)
		if a := balanced(t, dir); a.Events != 10 || len(a.Corrupt) > 0 {
			t.Errorf("%+v", a)
		}
		oneNote(t, dir, "degraded", "sync")
		oneNote(t, dir, "restored")
	}
}

func TestASyncThatLosesMoreThanIsKeptIsDeclared(t *testing.T) {
	tr, f, dir := faulty(t, Options{})
	const n = 30_000 // about 2.5 MB: too much to keep
	for i := range 30 {
		write(t, tr, uint64(i*n/30+1), n/30)
	}
	f.set(func(f *faultFS) { f.failSyncs, f.wreck = 1, true })
	if err := tr.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	shut(t, tr)
	a := balanced(t, dir)
	if a.Lost["write_failed"] == 0 || a.Events < 5000 || a.Last != n || len(a.Corrupt) > 0 {
		t.Errorf("%d events, %+v", a.Events, a)
	}
}

func TestASyncOfAClosedSegmentFails(t *testing.T) {
	tr, f, dir := faulty(t, Options{MaxBytes: 2000})
	for i := range 50 {
		write(t, tr, uint64(i+1), 1)
	}
	f.set(func(f *faultFS) { f.failSyncs, f.wreck = 1, true })
	if err := tr.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	write(t, tr, 51, 1)
	shut(t, tr)
	if a := balanced(t, dir); a.Events != 51 || len(a.Corrupt) > 0 {
		t.Errorf("%+v", a)
	}
}

func TestNoPermissionToMakeASegment(t *testing.T) {
	tr, f, dir := faulty(t, Options{MaxBytes: 1000})
	f.set(func(f *faultFS) { f.failOpens = 1 })
	for i := range 40 { // rotation fails, writing goes on
		write(t, tr, uint64(i+1), 1)
	}
	f.set(func(f *faultFS) { f.failOpens, f.failWrites = 2, 1 })
	tries := 0
	deliver(t, tr, batch(41, 5), func() { tries++ })
	if tries != 2 {
		t.Errorf("%d tries, want 2", tries)
	}
	shut(t, tr)
	if a := balanced(t, dir); a.Events != 45 || len(a.Corrupt) > 0 {
		t.Errorf("%+v", a)
	}
	oneNote(t, dir, "restored")
}

func TestASlowDiskShowsInStats(t *testing.T) {
	tr, f, _ := faulty(t, Options{})
	f.set(func(f *faultFS) { f.delay = 1200 * time.Millisecond })
	done := make(chan error, 1)
	go func() { done <- tr.Write(context.Background(), batch(1, 1)) }()
	until(t, "degraded", func() bool { return tr.Stats().State == Degraded })
	f.set(func(f *faultFS) { f.delay = 0 })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if s := tr.Stats(); s.State != OK {
		t.Errorf("%+v", s)
	}
}

// TestModel runs random faults against a model: the list of lines that were
// accepted. Whatever happens, the trail holds exactly those, in order.
func TestModel(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { model(t, seed) })
	}
}

func model(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	tr, f, dir := faulty(t, Options{MaxBytes: 1 + r.Int64N(8000)})
	seq := uint64(0)
	var want bytes.Buffer
	for range 120 {
		switch r.IntN(9) {
		case 0:
			f.set(func(f *faultFS) { f.room = r.Int64N(600) })
		case 1:
			f.set(func(f *faultFS) { f.failWrites = r.IntN(3) })
		case 2:
			f.set(func(f *faultFS) { f.failSyncs, f.wreck = r.IntN(3), r.IntN(2) == 0 })
		case 3:
			f.set(func(f *faultFS) { f.failOpens = r.IntN(4) })
		case 4:
			f.set(func(f *faultFS) { f.failCuts = r.IntN(2) })
		case 5:
			_ = tr.Sync(context.Background()) // an error is one of ours
		case 6:
			if r.IntN(4) == 0 {
				f.set((*faultFS).heal)
				if f.wrecked { // else the only copy dies with the process
					if err := tr.Sync(context.Background()); err != nil {
						t.Fatal(err)
					}
				}
				abandon(tr)
				tr = open(t, dir, &Options{FS: f, SyncEvery: -1, MaxBytes: 2000})
				if tr.NextSeq() != seq+1 {
					t.Fatalf("next seq %d, want %d", tr.NextSeq(), seq+1)
				}
			}
		default:
			b := batch(seq+1, 1+r.IntN(20))
			want.Write(b.Bytes)
			seq += uint64(b.Lines)
			deliver(t, tr, b, func() { f.set(func(f *faultFS) { f.room = -1 }) })
		}
	}
	f.set((*faultFS).heal)
	shut(t, tr)
	var got bytes.Buffer
	for line, err := range Read(dir, nil) {
		if err != nil {
			t.Fatal(err)
		}
		if line.Kind() == Event {
			got.Write(append(line.Bytes, '\n'))
		}
	}
	if !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Errorf("the trail holds %d bytes of events, accepted were %d", got.Len(), want.Len())
	}
	if a := balanced(t, dir); a.Events != seq {
		t.Errorf("%+v, want %d events", a, seq)
	}
}

func TestAnIdleTrailGetsWellAgain(t *testing.T) {
	tr, f, dir := faulty(t, Options{SyncEvery: time.Millisecond})
	f.set(func(f *faultFS) { f.failSyncs = 5 })
	write(t, tr, 1, 10)
	until(t, "degraded", func() bool { return tr.Stats().State == Degraded })
	until(t, "well again", func() bool { return tr.Stats().State == OK })
	shut(t, tr)
	if a := balanced(t, dir); a.Events != 10 {
		t.Errorf("%+v", a)
	}
}

func TestLinesWrittenDuringASyncAreNotDurableByIt(t *testing.T) {
	tr, f, dir := faulty(t, Options{})
	write(t, tr, 1, 10)
	f.set(func(f *faultFS) { f.onSync = func() { write(t, tr, 11, 5) } })
	if err := tr.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	f.set(func(f *faultFS) { f.failSyncs, f.wreck = 1, true })
	write(t, tr, 16, 5)
	if err := tr.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	shut(t, tr)
	if a := balanced(t, dir); a.Events != 20 || len(a.Corrupt) > 0 {
		t.Errorf("%+v", a)
	}
}
