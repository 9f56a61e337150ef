package trail

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/tooltrail/tooltrail/audit"
)

// TestARealFullDisk fills a small file system and makes room again.
func TestARealFullDisk(t *testing.T) {
	mount := t.TempDir()
	if err := syscall.Mount("tmpfs", mount, "tmpfs", 0, "size=64k,mode=700"); err != nil {
		t.Skipf("cannot mount a tmpfs: %v", err)
	}
	defer syscall.Unmount(mount, syscall.MNT_DETACH)
	ballast := filepath.Join(mount, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 32<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(mount, "a")
	tr := open(t, dir, nil)
	const each, batches = 37, 8
	seq, full := uint64(1), 0
	for range batches {
		b := batch(seq, each)
		deliver(t, tr, b, func() {
			full++
			content := mustRead(t, livePath(t, dir))
			if content[len(content)-1] != '\n' {
				t.Fatal("a torn line was left")
			}
			os.Remove(ballast)
		})
		seq += each
	}
	if full == 0 {
		t.Fatal("the disk was never full")
	}
	shut(t, tr)
	if a := balanced(t, dir); a.Events != each*batches {
		t.Errorf("%+v", a)
	}
	oneNote(t, dir, "restored", "no space left")
}

// TestADiskThatStaysFull: every write is refused at once and leaves no trace.
func TestADiskThatStaysFull(t *testing.T) {
	mount := t.TempDir()
	if err := syscall.Mount("tmpfs", mount, "tmpfs", 0, "size=32k,mode=700"); err != nil {
		t.Skipf("cannot mount a tmpfs: %v", err)
	}
	defer syscall.Unmount(mount, syscall.MNT_DETACH)
	dir := filepath.Join(mount, "a")
	tr := open(t, dir, nil)
	seq := uint64(1)
	for range 1000 {
		b := batch(seq, 5)
		var we *audit.WriteError
		if err := tr.Write(context.Background(), b); err == nil {
			seq += 5
		} else if errors.As(err, &we) && we.Retry {
			seq += uint64(we.Lines)
		} else {
			t.Fatal(err)
		}
	}
	if err := tr.Close(context.Background()); err == nil {
		t.Error("a stop note fits a full disk")
	}
	if a := balanced(t, dir); a.Events != seq-1 {
		t.Errorf("%+v, want %d events", a, seq-1)
	}
	if segs, _ := Segments(dir); len(segs) != 1 {
		t.Errorf("segments %v", segs)
	}
}
