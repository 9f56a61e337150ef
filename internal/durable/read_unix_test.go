//go:build unix

package durable

import (
	"path/filepath"
	"syscall"
	"testing"
)

func TestOpenReadDoesNotWaitForAFIFO(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if f, err := OpenRead(path); err == nil {
		f.Close()
		t.Error("a FIFO was opened")
	}
}
