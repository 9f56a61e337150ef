//go:build unix

package atd

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// stale leaves a socket that nobody listens on.
func stale(t *testing.T, path string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
}

func TestListenReplacesStaleSocketsOnly(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "new", "s")
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has mode %v: %v", info.Mode(), err)
	}
	if _, err := Listen(path); !errors.Is(err, ErrInUse) {
		t.Errorf("where a server listens: %v", err)
	}
	if err := errors.Join(l.Close(), l.Close()); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) > 0 {
		t.Errorf("after the end there is %v", left)
	}

	stale(t, path)
	if l, err = Listen(path); err != nil {
		t.Fatalf("where nobody listens: %v", err)
	}
	defer l.Close()
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()

	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, dir, link} {
		if _, err := Listen(path); !errors.Is(err, ErrNotSocket) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if text, _ := os.ReadFile(file); string(text) != "precious" {
		t.Error("the file was changed")
	}
	if _, err := Listen(filepath.Join(dir, strings.Repeat("x", 104))); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("a path too long: %v", err)
	}
}

// TestListenIsPrivateFromItsFirstMoment looks at the socket as soon as it is
// there.
func TestListenIsPrivateFromItsFirstMoment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	for range 50 {
		ctx, stop := context.WithCancel(context.Background())
		var open atomic.Uint32
		var looking sync.WaitGroup
		looking.Go(func() {
			for ctx.Err() == nil {
				if info, err := os.Lstat(path); err == nil && info.Mode().Perm() != 0o600 {
					open.Store(uint32(info.Mode().Perm()))
				}
			}
		})
		l, err := Listen(path)
		if err != nil {
			t.Fatal(err)
		}
		stop()
		looking.Wait()
		l.Close()
		if mode := fs.FileMode(open.Load()); mode != 0 {
			t.Fatalf("the socket had mode %v", mode)
		}
	}
}

func TestOfManyServersOneListens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	for range 20 {
		stale(t, path)
		var won atomic.Int32
		var listeners [4]net.Listener
		var starting sync.WaitGroup
		for i := range listeners {
			starting.Go(func() {
				l, err := Listen(path)
				switch {
				case err == nil:
					listeners[i] = l
					won.Add(1)
				case !errors.Is(err, ErrInUse):
					t.Error(err)
				}
			})
		}
		starting.Wait()
		if n := won.Load(); n != 1 {
			t.Fatalf("%d servers listen", n)
		}
		for _, l := range listeners {
			if l != nil {
				l.Close()
			}
		}
	}
}

// TestCloseLeavesAnothersSocket closes a listener whose place was taken.
func TestCloseLeavesAnothersSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	stale(t, path)
	l.Close()
	if _, err := os.Lstat(path); err != nil {
		t.Error(err)
	}
}
