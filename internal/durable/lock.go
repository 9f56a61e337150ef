package durable

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// A Lock is an exclusive lock on a file, held until Close or the end of the
// process.
type Lock struct{ f *os.File }

// A HeldError says that another process, or another part of this one, holds
// the lock.
type HeldError struct {
	Path string
	PID  int // 0 if it is not known
}

// Error names the file and the holder.
func (e *HeldError) Error() string { return fmt.Sprintf("%s is held by process %d", e.Path, e.PID) }

// TakeLock locks the file at path, making it where needed, and writes the
// process id into it. It does not wait: a lock that is taken is a [*HeldError].
func TakeLock(path string) (*Lock, error) {
	for range 100 {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|openFlags, FileMode)
		if err != nil {
			return nil, err
		}
		if err := CheckSafe(f); err != nil && !stale(f) {
			f.Close()
			return nil, err
		}
		if err := tryLock(f); err != nil {
			pid := readPID(f)
			f.Close()
			if errors.Is(err, errHeld) {
				return nil, &HeldError{Path: path, PID: pid}
			}
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if stale(f) {
			f.Close() // removed between opening and locking
			continue
		}
		l := &Lock{f}
		if err := l.writePID(); err != nil {
			l.Close()
			return nil, err
		}
		return l, nil
	}
	return nil, fmt.Errorf("lock %s: the file changes all the time", path)
}

// stale reports whether the path names another file than f, or none.
func stale(f *os.File) bool {
	open, err := f.Stat()
	if err != nil {
		return true
	}
	named, err := os.Lstat(f.Name())
	return err != nil || !os.SameFile(open, named)
}

func readPID(f *os.File) int {
	b := make([]byte, 32)
	n, err := f.ReadAt(b, 0)
	if err != nil && err != io.EOF {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(b[:n])))
	return pid
}

func (l *Lock) writePID() error {
	if err := l.f.Truncate(0); err != nil {
		return err
	}
	_, err := l.f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// Close gives the lock up. The file stays.
func (l *Lock) Close() error { return l.f.Close() }
