package trail

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/internal/powercut"
)

// powerRounds is how often TestPowerCut runs; TOOLTRAIL_POWER_ROUNDS sets it.
func powerRounds(t *testing.T) uint64 {
	t.Helper()
	n := uint64(100)
	if s := os.Getenv("TOOLTRAIL_POWER_ROUNDS"); s != "" {
		var err error
		if n, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// TestPowerCut writes to a disk that forgets what was not synced, cuts the
// power at random moments, and holds the trail to what it promised.
func TestPowerCut(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files that are open cannot be rewritten on Windows")
	}
	for seed := range powerRounds(t) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			p := &powerRound{rng: rand.New(rand.NewPCG(seed, 7)), dir: filepath.Join(t.TempDir(), "a"), safe: map[uint64]bool{}, wrote: map[uint64][]string{}}
			for range 3 {
				p.run(t)
				p.check(t)
			}
		})
	}
}

// A powerRound is a trail and what is known of it.
type powerRound struct {
	rng   *rand.Rand
	dir   string
	seq   uint64              // last number given
	safe  map[uint64]bool     // numbers of events that are durable
	wrote map[uint64][]string // every line ever written, by number
}

// run writes until the power is gone, or for a while.
func (p *powerRound) run(t *testing.T) {
	disk := powercut.New(p.rng.Uint64())
	clean := p.rng.IntN(8) == 0
	if !clean {
		disk.After(1 + p.rng.IntN(150))
	}
	o := Options{FS: disk, MaxBytes: 500 + p.rng.Int64N(20_000), SyncEvery: -1}
	if p.rng.IntN(2) == 0 {
		o.SyncEvery = time.Millisecond
	}
	if p.rng.IntN(4) == 0 {
		o.KeepBytes = 3 * o.MaxBytes
	}
	tr, err := Open(p.dir, &o)
	if err == nil {
		p.seq = tr.NextSeq() - 1
		p.work(t, tr, disk)
		if !clean {
			disk.Off()
		}
		if err := tr.Close(context.Background()); err == nil {
			p.settle()
		} else if clean {
			t.Fatal(err)
		}
	} else if !disk.IsOff() {
		t.Fatal(err)
	}
	if err := disk.Cut(); err != nil {
		t.Fatal(err)
	}
}

func (p *powerRound) work(t *testing.T, tr *Trail, disk *powercut.FS) {
	for range 60 {
		if disk.IsOff() {
			return
		}
		if p.rng.IntN(5) == 0 {
			if tr.Sync(context.Background()) == nil {
				p.settle()
			}
			continue
		}
		n := 1 + p.rng.IntN(30)
		b := batch(p.seq+1, n)
		for line := range b.All() {
			p.seq++
			p.wrote[p.seq] = append(p.wrote[p.seq], string(line))
		}
		if err := tr.Write(context.Background(), b); err != nil && !disk.IsOff() {
			t.Fatal(err)
		}
	}
}

// settle takes all that was written for durable.
func (p *powerRound) settle() {
	for seq := range p.wrote {
		p.safe[seq] = true
	}
}

// check opens the trail on a disk that keeps its word.
func (p *powerRound) check(t *testing.T) {
	t.Helper()
	tr, err := Open(p.dir, nil)
	if err != nil {
		t.Fatalf("the trail does not open: %v", err)
	}
	shut(t, tr)
	a := balanced(t, p.dir)
	if len(a.Corrupt) > 0 {
		t.Fatalf("%v", a.Corrupt)
	}
	there := map[uint64]bool{}
	for line, err := range Read(p.dir, nil) {
		if err != nil {
			t.Fatal(err)
		}
		if line.Kind() != Event {
			continue
		}
		seq, _ := lineSeq(line.Bytes)
		there[seq] = true
		if !contains(p.wrote[seq], line.Bytes) {
			t.Fatalf("nobody wrote %q", line.Bytes)
		}
	}
	for seq := range p.safe {
		if !there[seq] && seq >= a.First {
			t.Fatalf("event %d was durable and is gone", seq)
		}
	}
	p.safe = there
	for seq := range p.wrote {
		if !there[seq] {
			delete(p.wrote, seq) // it is lost, and its number may be free again
		}
	}
}

func contains(lines []string, line []byte) bool {
	for _, l := range lines {
		if bytes.Equal([]byte(l), line) {
			return true
		}
	}
	return false
}

func TestASegmentThatRotatesDuringItsSyncIsSyncedAgain(t *testing.T) {
	tr, f, dir := faulty(t, Options{MaxBytes: 2000})
	write(t, tr, 1, 10)
	f.set(func(f *faultFS) {
		f.onSync = func() {
			for i := range 20 {
				write(t, tr, uint64(11+i), 1)
			}
			f.set(func(f *faultFS) { f.failSyncs, f.wreck = 1, true })
		}
	})
	if err := tr.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	shut(t, tr)
	oneNote(t, dir, "degraded", `"segment":"00000000000000000000.jsonl"`)
	if a := balanced(t, dir); a.Events != 30 || len(a.Corrupt) > 0 {
		t.Errorf("%+v", a)
	}
}

func TestLinesBehindAHoleBetweenSegmentsAreKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a")
	put(t, dir, 0, seqLine(1)+seqLine(2)+"{torn")
	put(t, dir, 4, strings.Repeat("\x00", 600)+"rest\n"+seqLine(6))
	put(t, dir, 6, seqLine(7)+`{"note":"epoch","ts":"2026-05-29T12:34:56+00:00","epoch":2}`+"\n"+seqLine(9))
	tr := open(t, dir, nil)
	write(t, tr, tr.NextSeq(), 1)
	shut(t, tr)
	if a := balanced(t, dir); a.Events != 6 || a.Lost["killed"] != 4 || a.Last != 10 || len(a.Corrupt) > 0 {
		t.Errorf("%+v", a)
	}
	if list := notes(t, dir, "epoch"); len(list) > 0 {
		t.Errorf("a note that nothing came of is back: %v", list)
	}
	if kept, _ := filepath.Glob(filepath.Join(dir, stateDir, tailPrefix+"*")); len(kept) != 2 {
		t.Errorf("kept are %v", kept)
	}
}
