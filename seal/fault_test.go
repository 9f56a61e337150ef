package seal_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/internal/durable"
	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/trail"
)

// A faultFS is the real file system with faults on request, for the files whose
// path holds a text.
type faultFS struct {
	durable.OS
	mu     sync.Mutex
	where  string
	full   bool          // nothing grows
	broken bool          // no sync works, and nothing is replaced
	wreck  bool          // the next sync fails and loses what was not durable
	delay  time.Duration // of every write
	writes int           // that were delayed
}

func (f *faultFS) set(change func(*faultFS)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

// at returns the faults for a path.
func (f *faultFS) at(path string) (full, broken bool, delay time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !strings.Contains(filepath.ToSlash(path), f.where) {
		return false, false, 0
	}
	if f.delay > 0 {
		f.writes++
	}
	return f.full, f.broken, f.delay
}

func (f *faultFS) OpenAppend(path string, create bool) (durable.File, error) {
	inner, err := f.OS.OpenAppend(path, create)
	if err != nil {
		return nil, err
	}
	return &faultFile{File: inner, fs: f, path: path}, nil
}

func (f *faultFS) WriteFile(path string, data []byte) error {
	if full, broken, _ := f.at(path); full || broken {
		return fault("write", path, full)
	}
	return f.OS.WriteFile(path, data)
}

func (f *faultFS) Publish(path string, data []byte) error {
	if full, broken, _ := f.at(path); full || broken {
		return fault("write", path, full)
	}
	return f.OS.Publish(path, data)
}

func fault(op, path string, full bool) error {
	err := syscall.EIO
	if full {
		err = syscall.ENOSPC
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}

type faultFile struct {
	durable.File
	fs     *faultFS
	path   string
	synced int64
}

func (f *faultFile) Write(b []byte) (int, error) {
	full, _, delay := f.fs.at(f.path)
	time.Sleep(delay)
	if !full {
		return f.File.Write(b)
	}
	n, _ := f.File.Write(b[:len(b)/2])
	return n, fault("write", f.path, true)
}

func (f *faultFile) Datasync() error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if _, broken, _ := f.fs.at(f.path); broken {
		return fault("fdatasync", f.path, false)
	}
	f.fs.mu.Lock()
	wreck := f.fs.wreck
	f.fs.wreck = false
	f.fs.mu.Unlock()
	if wreck {
		return errors.Join(fault("fdatasync", f.path, false), f.lose(info.Size()))
	}
	f.synced = info.Size()
	return nil
}

// lose overwrites with NULs what is not durable.
func (f *faultFile) lose(size int64) error {
	w, err := os.OpenFile(f.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer w.Close()
	_, err = w.WriteAt(make([]byte, size-f.synced), f.synced)
	return err
}

// noLeaks fails the test if goroutines outlive it.
func noLeaks(t *testing.T) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() { waitFor(t, func() bool { return runtime.NumGoroutine() <= before }) })
}

// recordFrom writes n events from a sequence number on.
func recordFrom(t *testing.T, tr *trail.Trail, seq, n int) {
	t.Helper()
	for n > 0 {
		var b []byte
		k := min(n, 100)
		for range k {
			ev := audit.CallEvent{Time: time.Unix(1, 0), CallID: audit.NewCallID(), ToolID: "x", Seq: uint64(seq), Outcome: audit.Success()}
			b = append(ev.AppendJSON(b), '\n')
			seq++
		}
		must(t, tr.Write(context.Background(), audit.Batch{Bytes: b, Lines: k}))
		n -= k
	}
}

// sealsAll closes a trail and fails unless everything in it is sealed.
func sealsAll(t *testing.T, tr *trail.Trail, key *seal.Key) {
	t.Helper()
	shut(t, tr)
	if r := verify(t, tr.Dir(), key); !r.OK || r.Unsealed > 0 {
		t.Fatalf("%+v", r)
	}
	accounted(t, tr.Dir())
}

func TestTroubleWithTheSealPasses(t *testing.T) {
	for _, c := range []struct {
		name, where string
		fault       func(*faultFS)
		want        error
	}{
		{"no room for the tree", "/tree/", func(f *faultFS) { f.full = true }, syscall.ENOSPC},
		{"no room for the checkpoint", "/checkpoint", func(f *faultFS) { f.full = true }, syscall.ENOSPC},
		{"no room for the epoch's key", "/epoch.key", func(f *faultFS) { f.full = true }, syscall.ENOSPC},
		{"no sync of the tree", "/tree/", func(f *faultFS) { f.broken = true }, syscall.EIO},
		{"no sync of the history", "/checkpoints.jsonl", func(f *faultFS) { f.broken = true }, syscall.EIO},
	} {
		t.Run(c.name, func(t *testing.T) {
			noLeaks(t)
			f, key := &faultFS{where: c.where}, newKey(t)
			o := seal.Options{Keys: []*seal.Key{key}, Every: time.Millisecond, EpochEvery: 20 * time.Millisecond, FS: f}
			tr, s := open(t, filepath.Join(t.TempDir(), "x"), o)
			recordFrom(t, tr, 1, 100)
			waitFor(t, func() bool { return s.Status().Sealed > 100 })
			f.set(c.fault)
			recordFrom(t, tr, 101, 3000)
			waitFor(t, func() bool { return errors.Is(s.Status().Err, c.want) })
			if st := tr.Stats(); st.State != trail.OK {
				t.Errorf("the trail suffers: %+v", st)
			}
			recordFrom(t, tr, 3101, 3000)
			f.set(func(f *faultFS) { f.full, f.broken = false, false })
			waitFor(t, func() bool { return s.Status().Err == nil && s.Status().Sealed > 6100 })
			recordFrom(t, tr, 6101, 100)
			sealsAll(t, tr, key)
		})
	}
}

func TestWhatCouldNotBeSealedIsSealedByTheNext(t *testing.T) {
	noLeaks(t)
	f, key := &faultFS{where: "/tree/"}, newKey(t)
	dir := filepath.Join(t.TempDir(), "x")
	tr, _ := open(t, dir, seal.Options{Keys: []*seal.Key{key}, FS: f})
	f.set(func(f *faultFS) { f.full = true })
	record(t, tr, 3000)
	if err := tr.Close(context.Background()); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("Close: %v", err)
	}
	if a := accounted(t, dir); a.Events != 3000 {
		t.Fatalf("%+v", a)
	}
	tr, _ = open(t, dir, seal.Options{Keys: []*seal.Key{key}})
	sealsAll(t, tr, key)
}

// TestSlowTreeStallsNobody writes more than is queued for a tree that takes
// seconds for every write.
func TestSlowTreeStallsNobody(t *testing.T) {
	noLeaks(t)
	f, key := &faultFS{where: "/tree/"}, newKey(t)
	tr, s := open(t, filepath.Join(t.TempDir(), "x"), seal.Options{Keys: []*seal.Key{key}, FS: f})
	f.set(func(f *faultFS) { f.delay = 5 * time.Second })
	record(t, tr, 90_000) // about 20 MB
	must(t, tr.Sync(context.Background()))
	f.mu.Lock()
	writes := f.writes
	f.delay = 0
	f.mu.Unlock()
	if st := s.Status(); writes > 1 || st.Hashed >= st.Lines {
		t.Errorf("the trail has waited for %d writes to the tree: %+v", writes, st)
	}
	sealsAll(t, tr, key)
}

// TestLinesThatMoveUpAreSealedWhereTheyStand loses, in a sync that fails, lines
// that are in no memory any more and were hashed already.
func TestLinesThatMoveUpAreSealedWhereTheyStand(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a file that is open cannot be wrecked on Windows")
	}
	noLeaks(t)
	f, key := &faultFS{}, newKey(t)
	tr, s := open(t, filepath.Join(t.TempDir(), "x"), seal.Options{Keys: []*seal.Key{key}, Every: time.Millisecond},
		trail.Options{FS: f, SyncEvery: -1})
	record(t, tr, 1000)
	must(t, tr.Sync(context.Background()))
	waitFor(t, func() bool { return s.Status().Sealed > 1000 })
	recordFrom(t, tr, 1001, 30_000) // too much to keep
	waitFor(t, func() bool { return s.Status().Hashed > 31_000 })
	f.set(func(f *faultFS) { f.wreck = true })
	must(t, tr.Sync(context.Background()))
	if st := s.Status(); st.Lines > 30_000 {
		t.Fatalf("nothing was lost: %+v", st)
	}
	recordFrom(t, tr, 31_001, 1000)
	waitFor(t, func() bool { return s.Status().Hashed == s.Status().Lines })
	sealsAll(t, tr, key)
	if a := accounted(t, tr.Dir()); a.Lost["write_failed"] == 0 || a.Last != 32_000 {
		t.Errorf("%+v", a)
	}
}
