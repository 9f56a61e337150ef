package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/trail"
)

// The writer is the process that has the lock open, not one that has come to
// have its number.
func TestWhoWrites(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a")
	tr, err := trail.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if e := end(t, dir); !e.running || e.pid != os.Getpid() || e.stopped {
		t.Errorf("open: %+v", e)
	}
	if err := tr.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if e := end(t, dir); e.running || !e.stopped {
		t.Errorf("closed: %+v", e)
	}
	if runtime.GOOS != "linux" {
		return // elsewhere a number is all there is
	}
	other := filepath.Join(t.TempDir(), "b")
	if err := os.MkdirAll(filepath.Join(other, "state"), 0o700); err != nil {
		t.Fatal(err)
	}
	lock := filepath.Join(other, "state", "lock")
	if err := os.WriteFile(lock, []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		t.Fatal(err)
	}
	if e := end(t, other); e.running {
		t.Errorf("our number in the lock of another: %+v", e)
	}
}

func end(t *testing.T, dir string) trailEnd {
	t.Helper()
	e, err := readEnd(dir)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// A trail that is being written has a checkpoint every minute.
func TestDoctorMissesCheckpoints(t *testing.T) {
	key, err := seal.NewKey("test/home")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "a")
	tr, err := trail.Open(dir, &trail.Options{Sealer: seal.New(&seal.Options{Keys: []*seal.Key{key}})})
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	e := end(t, dir)
	e.running = true
	for later, want := range map[time.Duration]level{0: fine, 2 * time.Minute: fine, time.Hour: wrong} {
		a := &app{now: func() time.Time { return time.Now().Add(later) }}
		c := &checkup{OK: true}
		a.checkSeal(c, "a", dir, e, []*seal.Key{key})
		if len(c.Findings) != 1 || c.Findings[0].Level != want {
			t.Errorf("after %s: %+v", later, c.Findings)
		}
	}
}
