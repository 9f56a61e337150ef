package seal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/internal/powercut"
	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/trail"
)

// rounds returns how often a test goes round: as a variable of the environment
// says, or n times.
func rounds(t testing.TB, variable string, n int) int {
	t.Helper()
	if s := os.Getenv(variable); s != "" {
		var err error
		n, err = strconv.Atoi(s)
		must(t, err)
	}
	return n
}

// TestPowerCut seals a trail on a disk that forgets what was not synced, cuts
// the power at random moments, and holds the sealer to what it signed.
func TestPowerCut(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files that are open cannot be rewritten on Windows")
	}
	for seed := range rounds(t, "TOOLTRAIL_POWER_ROUNDS", 60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			p := newPowerRound(t, uint64(seed))
			for range 3 {
				p.run(t)
				p.check(t)
			}
		})
	}
}

// A powerRound is a sealed trail and what is known of it.
type powerRound struct {
	rng     *rand.Rand
	dir     string
	key     *seal.Key
	start   time.Time
	speed   time.Duration     // of the clock
	written map[uint64]string // the newest line of every number
	safe    map[uint64]string // those that are durable
	anchors []seal.Anchor     // checkpoints that were copied away
}

func newPowerRound(t *testing.T, seed uint64) *powerRound {
	rng := rand.New(rand.NewPCG(seed, 11))
	return &powerRound{
		rng: rng, dir: filepath.Join(t.TempDir(), "x"), key: newKey(t),
		start: time.Now(), speed: []time.Duration{1, 1000}[rng.IntN(2)],
		written: map[uint64]string{}, safe: map[uint64]string{},
	}
}

// now is fast in some rounds, so that the history grows.
func (p *powerRound) now() time.Time { return p.start.Add(time.Since(p.start) * p.speed) }

// run writes until the power is gone, or for a while.
func (p *powerRound) run(t *testing.T) {
	disk := powercut.New(p.rng.Uint64())
	clean := p.rng.IntN(8) == 0
	if !clean {
		disk.After(1 + p.rng.IntN(400))
	}
	tr, err := trail.Open(p.dir, &trail.Options{
		FS: disk, MaxBytes: 5000 + p.rng.Int64N(80_000), SyncEvery: []time.Duration{time.Millisecond, 20 * time.Millisecond, -1}[p.rng.IntN(3)],
		Sealer: seal.New(&seal.Options{
			Keys: []*seal.Key{p.key}, FS: disk, Now: p.now, Every: time.Millisecond,
			EpochEvery: time.Duration(1+p.rng.IntN(10)) * time.Millisecond,
		}),
	})
	if err == nil {
		p.work(t, tr, disk)
		if !clean {
			disk.Off()
		}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := tr.Close(ctx); err == nil {
			p.settle()
		} else if clean {
			t.Fatal(err)
		}
	} else if !disk.IsOff() {
		t.Fatal(err)
	}
	p.anchor() // the last that anybody can have seen
	must(t, disk.Cut())
}

func (p *powerRound) work(t *testing.T, tr *trail.Trail, disk *powercut.FS) {
	seq := tr.NextSeq()
	for range 40 {
		if disk.IsOff() {
			return
		}
		switch p.rng.IntN(8) {
		case 0:
			if tr.Sync(context.Background()) == nil {
				p.settle()
			}
		case 1:
			p.anchor()
		case 2:
			time.Sleep(time.Duration(p.rng.IntN(3)) * time.Millisecond) // let the sealer have a turn
		default:
			b := p.batch(seq, 1+p.rng.IntN(100))
			seq += uint64(b.Lines)
			if err := tr.Write(context.Background(), b); err != nil && !disk.IsOff() {
				t.Fatal(err)
			}
		}
	}
}

// anchor copies the newest checkpoint away, as a witness does.
func (p *powerRound) anchor() {
	if b, err := os.ReadFile(filepath.Join(p.dir, "checkpoint")); err == nil && len(b) > 0 {
		p.anchors = append(p.anchors, seal.Anchor{Name: fmt.Sprint(len(p.anchors)), Signed: b})
	}
}

func (p *powerRound) batch(seq uint64, n int) audit.Batch {
	var b []byte
	for range n {
		ev := audit.CallEvent{Time: time.Unix(1, 0), CallID: audit.NewCallID(), ToolID: "x", Seq: seq, Outcome: audit.Success()}
		line := ev.AppendJSON(nil)
		p.written[seq] = string(line)
		b = append(append(b, line...), '\n')
		seq++
	}
	return audit.Batch{Bytes: b, Lines: n}
}

// settle takes all that was written for durable.
func (p *powerRound) settle() {
	for seq, line := range p.written {
		p.safe[seq] = line
	}
}

// check opens the trail on a disk that keeps its word.
func (p *powerRound) check(t *testing.T) {
	t.Helper()
	tr, err := trail.Open(p.dir, &trail.Options{Sealer: seal.New(&seal.Options{Keys: []*seal.Key{p.key}, Now: p.now})})
	if err != nil {
		t.Fatalf("the trail does not open: %v", err)
	}
	shut(t, tr)
	accounted(t, p.dir)
	there := map[uint64]string{}
	for _, line := range linesOf(t, p.dir) {
		if ev, err := audit.Decode(line); err == nil && ev.Seq > 0 {
			there[ev.Seq] = string(line)
		}
	}
	for seq, line := range p.safe {
		if there[seq] != line {
			t.Fatalf("event %d was durable, and there is %q", seq, there[seq])
		}
	}
	p.safe, p.written = there, map[uint64]string{}
	r := verify(t, p.dir, p.key, func(o *seal.VerifyOptions) { o.Anchors = p.anchors })
	if !r.OK || r.Anchors != len(p.anchors) || r.Unsealed > 0 {
		t.Fatalf("%d anchors of %d hold, %d lines are not sealed: %+v", r.Anchors, len(p.anchors), r.Unsealed, r.Findings)
	}
}

// accounted fails unless every number of a trail stands on an event or in a
// loss, and on one only.
func accounted(t testing.TB, dir string) trail.Account {
	t.Helper()
	a, err := trail.Check(dir)
	must(t, err)
	if !a.Balanced() || a.Unknown > 0 || len(a.Corrupt) > 0 {
		t.Fatalf("the account does not balance: %+v", a)
	}
	return a
}

func TestBlockMissingFromTheTreeIsMadeAgain(t *testing.T) {
	dir, key := filepath.Join(t.TempDir(), "x"), newKey(t)
	tr, _ := open(t, dir, seal.Options{Keys: []*seal.Key{key}}, trail.Options{MaxBytes: 50_000})
	record(t, tr, 1500)
	shut(t, tr)
	must(t, overwrite(filepath.Join(dir, "tree/0"), 4096, 4096)) // the level above still holds
	if r := verify(t, dir, key); r.OK {
		t.Fatal("the harm is not seen")
	}
	tr, _ = open(t, dir, seal.Options{Keys: []*seal.Key{key}})
	shut(t, tr)
	if r := verify(t, dir, key); !r.OK {
		t.Fatalf("%+v", r.Findings)
	}
}

// The power goes off when the first epoch has signed, and before epoch.key says
// that it began.
func TestFirstEpochThatHasSignedGoesOn(t *testing.T) {
	dir, key := filepath.Join(t.TempDir(), "x"), newKey(t)
	tr, _ := open(t, dir, seal.Options{Keys: []*seal.Key{key}})
	shut(t, tr)
	path := filepath.Join(dir, "state", "epoch.key")
	b, err := os.ReadFile(path)
	var saved map[string]any
	must(t, err, json.Unmarshal(b, &saved))
	saved["next"] = map[string]any{"seed": saved["seed"], "from": 0, "by": "log"}
	saved["epoch"] = 0
	delete(saved, "seed")
	b, err = json.Marshal(saved)
	must(t, err, os.WriteFile(path, b, 0o600))
	tr, s := open(t, dir, seal.Options{Keys: []*seal.Key{key}})
	shut(t, tr)
	if r := verify(t, dir, key); !r.OK || s.Status().Epoch != 1 {
		t.Fatalf("epoch %d: %+v", s.Status().Epoch, r.Findings)
	}
}
