package seal_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/trail"
)

func newKey(t testing.TB) *seal.Key {
	t.Helper()
	key, err := seal.NewKey("tooltrail/test")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// open opens a sealed trail.
func open(t testing.TB, dir string, o seal.Options, to ...trail.Options) (*trail.Trail, *seal.Sealer) {
	t.Helper()
	opts := trail.Options{SyncEvery: 5 * time.Millisecond}
	if len(to) > 0 {
		opts = to[0]
	}
	s := seal.New(&o)
	opts.Sealer = s
	tr, err := trail.Open(dir, &opts)
	if err != nil {
		t.Fatal(err)
	}
	return tr, s
}

// record writes events with the sequence numbers first to last, in batches.
func record(t testing.TB, tr *trail.Trail, n int) {
	t.Helper()
	seq := tr.NextSeq()
	for n > 0 {
		var b []byte
		k := min(n, 100)
		for range k {
			ev := audit.CallEvent{Time: time.Unix(1, 0), CallID: audit.NewCallID(), ToolID: "x", Seq: seq, Outcome: audit.Success()}
			b = append(ev.AppendJSON(b), '\n')
			seq++
		}
		if err := tr.Write(context.Background(), audit.Batch{Bytes: b, Lines: k}); err != nil {
			t.Fatal(err)
		}
		n -= k
	}
}

func shut(t testing.TB, tr *trail.Trail) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := tr.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

// linesOf returns the lines of a trail.
func linesOf(t testing.TB, dir string) [][]byte {
	t.Helper()
	var lines [][]byte
	for line, err := range trail.Read(dir, nil) {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, bytes.Clone(line.Bytes))
	}
	return lines
}

// rootOf is the RFC 6962 tree hash, written down as the RFC has it.
func rootOf(lines [][]byte) tlog.Hash {
	switch n := len(lines); n {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return sha256.Sum256(append([]byte{0}, lines[0]...))
	default:
		k := 1
		for k*2 < n {
			k *= 2
		}
		l, r := rootOf(lines[:k]), rootOf(lines[k:])
		return sha256.Sum256(append(append([]byte{1}, l[:]...), r[:]...))
	}
}

// newest returns the trail's checkpoint, verified with key.
func newest(t testing.TB, dir string, key *seal.Key) (seal.Checkpoint, *note.Note) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := seal.NewVerifier(key.Named(key.Name + "/" + filepath.Base(dir)).VKey())
	if err != nil {
		t.Fatal(err)
	}
	c, n, err := seal.OpenCheckpoint(b, note.VerifierList(v))
	if err != nil {
		t.Fatal(err)
	}
	return c, n
}

func TestCheckpointCoversEveryLineAfterClose(t *testing.T) {
	for _, n := range []int{0, 1, 253, 300, 5000, 70_000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			dir, key := filepath.Join(t.TempDir(), "x"), newKey(t)
			tr, _ := open(t, dir, seal.Options{Keys: []*seal.Key{key}}, trail.Options{MaxBytes: 1 << 20})
			record(t, tr, n)
			shut(t, tr)
			lines := linesOf(t, dir)
			c, _ := newest(t, dir, key)
			if int(c.Size) != len(lines) || len(lines) != n+3 { // start, epoch, stop
				t.Fatalf("sealed %d of %d lines", c.Size, len(lines))
			}
			if c.Root != rootOf(lines) {
				t.Fatal("the root is wrong")
			}
			checkTree(t, dir, c)
		})
	}
}

// checkTree compares the level files with what package tlog makes of tree/0.
func checkTree(t testing.TB, dir string, c seal.Checkpoint) {
	t.Helper()
	tree, err := seal.OpenTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	if size, err := tree.Size(); err != nil || size != c.Size {
		t.Fatalf("tree/0 has %d leaves, %v", size, err)
	}
	if root, err := tree.Root(c.Size); err != nil || root != c.Root {
		t.Fatalf("the tree's root is not the checkpoint's: %v", err)
	}
	for i := uint64(0); i < c.Size; i += 1 + c.Size/7 {
		leaf, err := tree.Leaf(i)
		if err != nil {
			t.Fatal(err)
		}
		p, err := tlog.ProveRecord(int64(c.Size), int64(i), tree)
		if err != nil {
			t.Fatal(err)
		}
		if err := tlog.CheckRecord(p, int64(c.Size), c.Root, int64(i), leaf); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTrailGoesOnSealed(t *testing.T) {
	dir, key := filepath.Join(t.TempDir(), "x"), newKey(t)
	var sizes []uint64
	for range 4 {
		tr, _ := open(t, dir, seal.Options{Keys: []*seal.Key{key}}, trail.Options{MaxBytes: 50_000})
		record(t, tr, 333)
		shut(t, tr)
		c, _ := newest(t, dir, key)
		if c.Root != rootOf(linesOf(t, dir)) {
			t.Fatal("the root is wrong")
		}
		checkTree(t, dir, c)
		sizes = append(sizes, c.Size)
	}
	if want := "[336 671 1006 1341]"; fmt.Sprint(sizes) != want { // one epoch note only
		t.Fatalf("sizes %v, want %s", sizes, want)
	}
}

func TestEpochsGoOnWhileIdle(t *testing.T) {
	dir, key := filepath.Join(t.TempDir(), "x"), newKey(t)
	tr, s := open(t, dir, seal.Options{Keys: []*seal.Key{key}, Every: time.Millisecond, EpochEvery: 20 * time.Millisecond})
	waitFor(t, func() bool { return s.Status().Epoch >= 4 })
	shut(t, tr)
	epochs := 0
	for _, line := range linesOf(t, dir) {
		if bytes.HasPrefix(line, []byte(`{"note":"epoch"`)) {
			epochs++
		}
	}
	if epochs < 4 {
		t.Fatalf("%d epoch notes", epochs)
	}
	entries := 0
	for _, err := range seal.History(dir) {
		if err != nil {
			t.Fatal(err)
		}
		entries++
	}
	if entries < epochs {
		t.Fatalf("%d checkpoints are kept for %d epochs", entries, epochs)
	}
}

func waitFor(t testing.TB, done func() bool) {
	t.Helper()
	for range 2000 {
		if done() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("it did not come to that within ten seconds")
}

func TestDamagedTreeIsMadeAgain(t *testing.T) {
	for name, harm := range map[string]func(dir string) error{
		"short":   func(dir string) error { return os.Truncate(filepath.Join(dir, "tree/0"), 100) },
		"gone":    func(dir string) error { return os.RemoveAll(filepath.Join(dir, "tree")) },
		"garbage": func(dir string) error { return overwrite(filepath.Join(dir, "tree/0"), 32*1390, 64) },
		"level 1": func(dir string) error { return overwrite(filepath.Join(dir, "tree/1"), 32, 32) },
		"longer":  func(dir string) error { return lengthen(filepath.Join(dir, "tree/0"), 777) },
	} {
		t.Run(name, func(t *testing.T) {
			dir, key := filepath.Join(t.TempDir(), "x"), newKey(t)
			for range 2 {
				tr, _ := open(t, dir, seal.Options{Keys: []*seal.Key{key}}, trail.Options{MaxBytes: 50_000})
				record(t, tr, 700)
				shut(t, tr)
			}
			if err := harm(dir); err != nil {
				t.Fatal(err)
			}
			tr, _ := open(t, dir, seal.Options{Keys: []*seal.Key{key}})
			shut(t, tr)
			c, _ := newest(t, dir, key)
			if c.Root != rootOf(linesOf(t, dir)) {
				t.Fatal("the root is wrong")
			}
			checkTree(t, dir, c)
		})
	}
}

func overwrite(path string, off int64, n int) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt(make([]byte, n), off)
	return err
}

func lengthen(path string, n int) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.Write(make([]byte, n))
	return err
}

func TestMissingSealedLinesAreRefused(t *testing.T) {
	for name, harm := range map[string]func(t *testing.T, dir string, segs []trail.Segment){
		"tail cut": func(t *testing.T, _ string, segs []trail.Segment) {
			last := segs[len(segs)-1]
			must(t, os.Chmod(last.Path, 0o600), os.Truncate(last.Path, last.Size-20))
		},
		"last segment":   func(t *testing.T, _ string, segs []trail.Segment) { must(t, os.Remove(segs[len(segs)-1].Path)) },
		"middle segment": func(t *testing.T, _ string, segs []trail.Segment) { must(t, os.Remove(segs[1].Path)) },
		"all segments": func(t *testing.T, _ string, segs []trail.Segment) {
			for _, s := range segs {
				must(t, os.Remove(s.Path))
			}
		},
		"end of a closed one": func(t *testing.T, _ string, segs []trail.Segment) {
			must(t, os.Chmod(segs[0].Path, 0o600), os.Truncate(segs[0].Path, segs[0].Size/2))
		},
		"checkpoints": func(t *testing.T, dir string, _ []trail.Segment) {
			must(t, os.Remove(filepath.Join(dir, "checkpoint")), os.Remove(filepath.Join(dir, "checkpoints.jsonl")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, key := filepath.Join(t.TempDir(), "x"), newKey(t)
			tr, _ := open(t, dir, seal.Options{Keys: []*seal.Key{key}}, trail.Options{MaxBytes: 40_000})
			record(t, tr, 900)
			shut(t, tr)
			segs, err := trail.Segments(dir)
			if err != nil || len(segs) < 4 {
				t.Fatal(segs, err)
			}
			harm(t, dir, segs)
			before := fingerprint(t, dir)
			_, err = trail.Open(dir, &trail.Options{Sealer: seal.New(&seal.Options{Keys: []*seal.Key{key}})})
			var refused *trail.RefusedError
			var broken *seal.BrokenError
			if !errors.As(err, &refused) || !errors.As(err, &broken) {
				t.Fatalf("Open: %v", err)
			}
			if after := fingerprint(t, dir); after != before {
				t.Errorf("the evidence was touched:\n%s\n%s", before, after)
			}
		})
	}
}

// fingerprint lists what is evidence in a trail.
func fingerprint(t *testing.T, dir string) string {
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "state" || d.Name() == "tree") {
			return fs.SkipDir
		}
		if !d.IsDir() {
			data, err := os.ReadFile(path)
			fmt.Fprintf(&b, "%s %x %v\n", d.Name(), sha256.Sum256(data), err)
		}
		return nil
	})
	must(t, err)
	return b.String()
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func TestUnsealedLinesAreSealedByTheNext(t *testing.T) {
	dir, key := filepath.Join(t.TempDir(), "x"), newKey(t)
	tr, _ := open(t, dir, seal.Options{Keys: []*seal.Key{key}})
	record(t, tr, 10)
	shut(t, tr)
	plain, err := trail.Open(dir, nil)
	must(t, err)
	record(t, plain, 2000)
	shut(t, plain)
	tr, _ = open(t, dir, seal.Options{Keys: []*seal.Key{key}})
	shut(t, tr)
	c, _ := newest(t, dir, key)
	if lines := linesOf(t, dir); c.Root != rootOf(lines) {
		t.Fatal("the root is wrong")
	}
	checkTree(t, dir, c)
}

func TestBothKeysSignDuringRotation(t *testing.T) {
	dir, old := filepath.Join(t.TempDir(), "x"), newKey(t)
	tr, _ := open(t, dir, seal.Options{Keys: []*seal.Key{old}})
	shut(t, tr)
	fresh, err := seal.NewKey(old.Name)
	must(t, err)
	tr, _ = open(t, dir, seal.Options{Keys: []*seal.Key{fresh, old}})
	shut(t, tr)
	newest(t, dir, old)
	newest(t, dir, fresh)
	if _, err := trail.Open(dir, &trail.Options{Sealer: seal.New(&seal.Options{Keys: []*seal.Key{newKey(t)}})}); err == nil {
		t.Fatal("a third key goes on with the trail")
	}
}
