package seal_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/trail"
)

// verify returns the report of a trail, by the key alone.
func verify(t testing.TB, dir string, key *seal.Key, change ...func(*seal.VerifyOptions)) *seal.Report {
	t.Helper()
	o := &seal.VerifyOptions{Keys: []string{key.VKey()}}
	for _, c := range change {
		c(o)
	}
	r, err := seal.Verify(context.Background(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func kinds(r *seal.Report) (list []seal.Kind) {
	for _, f := range r.Findings {
		list = append(list, f.Kind)
	}
	return list
}

// sealedTrail makes a trail of several segments and epochs, and closes it.
func sealedTrail(t testing.TB, events int, maxBytes int64) (dir string, key *seal.Key) {
	t.Helper()
	dir, key = filepath.Join(t.TempDir(), "x"), newKey(t)
	for range 2 {
		tr, _ := open(t, dir, seal.Options{Keys: []*seal.Key{key}, EpochEvery: time.Nanosecond}, trail.Options{MaxBytes: maxBytes})
		record(t, tr, events/4)
		must(t, tr.Sync(context.Background()))
		record(t, tr, events/2-events/4)
		shut(t, tr)
	}
	return dir, key
}

func TestIntactTrailVerifies(t *testing.T) {
	for _, n := range []int{0, 1, 100, 1000, 20_000} {
		dir, key := sealedTrail(t, n, 60_000)
		for _, workers := range []int{1, 2, 5} {
			r := verify(t, dir, key, func(o *seal.VerifyOptions) { o.Workers = workers })
			if !r.OK || r.Unsealed != 0 || r.Sealed != r.Lines || !r.Stopped || r.Epochs < 1 || r.Checkpoints < 3 {
				t.Fatalf("%d events: %+v", n, r)
			}
		}
	}
}

// edit changes the lines of a file.
func edit(t testing.TB, path string, change func(lines [][]byte) [][]byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	lines := change(bytes.SplitAfter(bytes.TrimSuffix(b, []byte("\n")), []byte("\n")))
	out := append(bytes.TrimSuffix(bytes.Join(lines, nil), []byte("\n")), '\n')
	must(t, os.Chmod(path, 0o600), os.WriteFile(path, out, 0o600))
}

func TestDamageIsNamed(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(lines [][]byte) [][]byte
		kind   seal.Kind
		at     uint64 // in the file, from 1
		count  uint64
	}{
		{"one line", func(l [][]byte) [][]byte {
			l[40] = bytes.Replace(l[40], []byte(`"x"`), []byte(`"y"`), 1)
			return l
		}, seal.KindChanged, 41, 1},
		{"three lines", func(l [][]byte) [][]byte {
			for i := 10; i < 13; i++ {
				l[i] = bytes.Replace(l[i], []byte(`"x"`), []byte(`"yy"`), 1)
			}
			return l
		}, seal.KindChanged, 11, 3},
		{"removed", func(l [][]byte) [][]byte { return slices.Delete(l, 50, 52) }, seal.KindRemoved, 51, 2},
		{"inserted", func(l [][]byte) [][]byte { return slices.Insert(l, 7, []byte("{\"ts\":1}\n")) }, seal.KindInserted, 8, 1},
		{"repeated", func(l [][]byte) [][]byte { return slices.Insert(l, 7, l[30]) }, seal.KindInserted, 8, 1},
		{"swapped", func(l [][]byte) [][]byte { l[3], l[9] = l[9], l[3]; return l }, seal.KindReordered, 4, 7},
		{"first line", func(l [][]byte) [][]byte { return l[1:] }, seal.KindRemoved, 1, 1},
	} {
		for _, where := range []string{"first", "middle", "last"} {
			t.Run(c.name+" in the "+where+" segment", func(t *testing.T) {
				dir, key := sealedTrail(t, 600, 40_000)
				segs, err := trail.Segments(dir)
				must(t, err)
				seg := segs[map[string]int{"first": 0, "middle": 2, "last": len(segs) - 1}[where]]
				if b, _ := os.ReadFile(seg.Path); bytes.Count(b, []byte("\n")) < 60 {
					t.Skip("the segment has too few lines for this")
				}
				edit(t, seg.Path, c.change)
				r := verify(t, dir, key)
				if r.OK || len(r.Findings) == 0 {
					t.Fatalf("%+v", r)
				}
				f := r.Findings[0]
				if f.Kind != c.kind || f.InFile != c.at || f.Count != c.count || f.Segment != filepath.Base(seg.Path) || f.Line != seg.First+c.at-1 {
					t.Errorf("%+v", r.Findings)
				}
			})
		}
	}
}

func TestRemovedFilesAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		harm func(dir string, segs []trail.Segment) error
		want seal.Kind
	}{
		"first segment":  {func(_ string, s []trail.Segment) error { return os.Remove(s[0].Path) }, seal.KindPruneUndeclared},
		"middle segment": {func(_ string, s []trail.Segment) error { return os.Remove(s[2].Path) }, seal.KindMissingSegment},
		"last segment":   {func(_ string, s []trail.Segment) error { return os.Remove(s[len(s)-1].Path) }, seal.KindTruncated},
		"tail":           {func(_ string, s []trail.Segment) error { l := s[len(s)-1]; return os.Truncate(l.Path, l.Size-5) }, seal.KindTruncated},
		"checkpoint and history": {func(dir string, _ []trail.Segment) error {
			_ = os.Remove(filepath.Join(dir, "checkpoint"))
			return os.Remove(filepath.Join(dir, "checkpoints.jsonl"))
		}, seal.KindNoCheckpoint},
		"history": {func(dir string, _ []trail.Segment) error {
			return os.Remove(filepath.Join(dir, "checkpoints.jsonl"))
		}, seal.KindHistoryDamaged},
		"tree": {func(dir string, _ []trail.Segment) error { return os.RemoveAll(filepath.Join(dir, "tree")) }, seal.KindTreeDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			dir, key := sealedTrail(t, 600, 40_000)
			segs, err := trail.Segments(dir)
			must(t, err, c.harm(dir, segs))
			if r := verify(t, dir, key); r.OK || !slices.Contains(kinds(r), c.want) {
				t.Errorf("%+v", r.Findings)
			}
		})
	}
}

func TestEveryByteCounts(t *testing.T) {
	dir, key := filepath.Join(t.TempDir(), "x"), newKey(t)
	tr, _ := open(t, dir, seal.Options{Keys: []*seal.Key{key}, EpochEvery: time.Nanosecond}, trail.Options{MaxBytes: 3000})
	record(t, tr, 2)
	must(t, tr.Sync(context.Background()))
	record(t, tr, 2)
	shut(t, tr)
	if r := verify(t, dir, key); !r.OK {
		t.Fatalf("%+v", r)
	}
	bytesOf(t, dir, func(path string, b []byte) {
		must(t, os.Chmod(path, 0o600))
		for i := range b {
			bit := byte(1) << (i % 7) // case, digits, quotes: each is met
			b[i] ^= bit
			must(t, os.WriteFile(path, b, 0o600))
			if r := verify(t, dir, key); r.OK {
				t.Errorf("%s: bit %#x of byte %d may change", filepath.Base(path), bit, i)
			}
			b[i] ^= bit
		}
		must(t, os.WriteFile(path, b, 0o600))
	})
}

// bytesOf calls f with every file of a trail that is evidence, or derived.
func bytesOf(t testing.TB, dir string, f func(path string, b []byte)) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == "state" {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		f(path, b)
		return err
	}))
}

func TestEveryTruncationIsFound(t *testing.T) {
	dir, key := filepath.Join(t.TempDir(), "x"), newKey(t)
	tr, _ := open(t, dir, seal.Options{Keys: []*seal.Key{key}}, trail.Options{MaxBytes: 2000})
	record(t, tr, 2)
	must(t, tr.Sync(context.Background()))
	record(t, tr, 2)
	shut(t, tr)
	anchor, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	must(t, err)
	pinned := func(o *seal.VerifyOptions) { o.Anchors = []seal.Anchor{{Name: "a", Signed: anchor}} }
	if r := verify(t, dir, key, pinned); !r.OK || r.Anchors != 1 {
		t.Fatalf("%+v", r)
	}
	bytesOf(t, dir, func(path string, b []byte) {
		must(t, os.Chmod(path, 0o600))
		for n := range b {
			must(t, os.WriteFile(path, b[:n], 0o600))
			if r := verify(t, dir, key, pinned); r.OK {
				t.Errorf("%s may be cut to %d bytes", filepath.Base(path), n)
			}
		}
		must(t, os.WriteFile(path, b, 0o600))
	})
}

func TestStrangersAreNotTrusted(t *testing.T) {
	dir, key := sealedTrail(t, 10, 40_000)
	other, err := seal.NewKey("tooltrail/other")
	must(t, err)
	if r := verify(t, dir, other); r.OK || !slices.Contains(kinds(r), seal.KindKeyUnknown) {
		t.Errorf("%+v", r.Findings)
	}
	same := newKey(t)
	if r := verify(t, dir, same); r.OK || !slices.Contains(kinds(r), seal.KindCheckpointInvalid) {
		t.Errorf("%+v", r.Findings)
	}
	exact := key.Named(key.Name + "/x")
	if r := verify(t, dir, exact); !r.OK {
		t.Errorf("%+v", r.Findings)
	}
	if _, err := seal.Verify(context.Background(), dir, &seal.VerifyOptions{}); err == nil {
		t.Error("a trail verifies without a key")
	}
}

func TestOldCheckpointIsStale(t *testing.T) {
	dir, key := sealedTrail(t, 10, 40_000)
	later := func(o *seal.VerifyOptions) {
		o.MaxAge = time.Hour
		o.Now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	}
	if r := verify(t, dir, key, later); r.OK || !slices.Contains(kinds(r), seal.KindStale) {
		t.Errorf("%+v", r.Findings)
	}
}

func TestLiveTrailVerifies(t *testing.T) {
	dir, key := filepath.Join(t.TempDir(), "x"), newKey(t)
	tr, _ := open(t, dir, seal.Options{Keys: []*seal.Key{key}, Every: time.Millisecond, EpochEvery: 3 * time.Millisecond},
		trail.Options{MaxBytes: 100_000, SyncEvery: time.Millisecond})
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				_ = tr.Note("alive")
			}
		}
	}()
	for range 30 {
		if r := verify(t, dir, key); !r.OK {
			t.Errorf("%+v", r.Findings)
			break
		}
	}
	close(stop)
	<-done
	shut(t, tr)
	if r := verify(t, dir, key); !r.OK {
		t.Errorf("%+v", r.Findings)
	}
}

func TestForeignLinesBehindTheEnd(t *testing.T) {
	dir, key := sealedTrail(t, 10, 1<<20)
	segs, err := trail.Segments(dir)
	must(t, err)
	last := segs[len(segs)-1].Path
	f, err := os.OpenFile(last, os.O_APPEND|os.O_WRONLY, 0)
	must(t, err)
	_, err = fmt.Fprintln(f, `{"ts":"2026-01-01T00:00:00+00:00","call_id":"forged","seq":11}`)
	must(t, err, f.Close())
	r := verify(t, dir, key)
	if r.OK || !slices.Contains(kinds(r), seal.KindAfterStop) || r.Unsealed != 1 {
		t.Errorf("%+v", r)
	}
}

func TestRandomEditsNeverVerify(t *testing.T) {
	dir, key := sealedTrail(t, 400, 30_000)
	rng := rand.New(rand.NewPCG(1, 2))
	var files []string
	bytesOf(t, dir, func(path string, _ []byte) {
		if strings.HasSuffix(path, ".jsonl") && !strings.Contains(path, "checkpoints") {
			files = append(files, path)
		}
	})
	for round := range 200 {
		path := files[rng.IntN(len(files))]
		before, err := os.ReadFile(path)
		must(t, err, os.Chmod(path, 0o600))
		after := mutate(rng, before)
		must(t, os.WriteFile(path, after, 0o600))
		if r := verify(t, dir, key); r.OK != bytes.Equal(before, after) {
			t.Fatalf("round %d: %s: %+v", round, path, r)
		}
		must(t, os.WriteFile(path, before, 0o600))
	}
}

func mutate(rng *rand.Rand, b []byte) []byte {
	out := bytes.Clone(b)
	i, n := rng.IntN(len(out)), 1+rng.IntN(300)
	end := min(i+n, len(out))
	switch rng.IntN(4) {
	case 0:
		out = slices.Delete(out, i, end)
	case 1:
		out = slices.Insert(out, i, bytes.Clone(out[i:end])...)
	case 2:
		for j := i; j < end; j++ {
			out[j] = byte(rng.Uint32())
		}
	case 3:
		out[i] ^= 1 << rng.IntN(8)
	}
	return out
}

func FuzzVerify(f *testing.F) {
	dir, key := sealedTrail(f, 40, 3000)
	segs, err := trail.Segments(dir)
	must(f, err)
	originals := map[string][]byte{}
	for _, s := range segs {
		b, err := os.ReadFile(s.Path)
		must(f, err, os.Chmod(s.Path, 0o600))
		originals[s.Path] = b
	}
	f.Add(uint8(0), uint16(10), []byte("x"), uint8(1))
	f.Add(uint8(1), uint16(0), []byte("{\"note\":\"stop\"}\n"), uint8(0))
	f.Fuzz(func(t *testing.T, which uint8, at uint16, insert []byte, remove uint8) {
		path := segs[int(which)%len(segs)].Path
		b := originals[path]
		i := int(at) % len(b)
		changed := slices.Concat(b[:i], insert, b[min(i+int(remove), len(b)):])
		must(t, os.WriteFile(path, changed, 0o600))
		defer os.WriteFile(path, b, 0o600)
		if r := verify(t, dir, key); r.OK != bytes.Equal(changed, b) {
			t.Errorf("%q at %d of %s, %d removed: %+v", insert, i, path, remove, r)
		}
	})
}
