package trail

import (
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/tooltrail/tooltrail/internal/durable"
)

// A faultFS is the real file system with faults on request.
type faultFS struct {
	durable.OS
	mu         sync.Mutex
	room       int64         // bytes until ENOSPC; negative is no limit
	failWrites int           // next writes that fail with EIO, after half
	failSyncs  int           // next syncs that fail with EIO
	failOpens  int           // next opens for writing that fail with EACCES
	failCuts   int           // next truncations that fail with EIO
	wreck      bool          // a failed sync loses what was not durable
	delay      time.Duration // of every write
	wrecked    bool          // it did
	onSync     func()        // called once, while a sync is under way
}

func newFaultFS() *faultFS { return &faultFS{room: -1} }

func (f *faultFS) set(change func(*faultFS)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

// heal ends all faults.
func (f *faultFS) heal() {
	f.room, f.failWrites, f.failSyncs, f.failOpens, f.failCuts = -1, 0, 0, 0, 0
}

// take uses up one of a number of faults.
func (f *faultFS) take(n *int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if *n == 0 {
		return false
	}
	*n--
	return true
}

func (f *faultFS) OpenAppend(path string, create bool) (durable.File, error) {
	if f.take(&f.failOpens) {
		return nil, &fs.PathError{Op: "open", Path: path, Err: syscall.EACCES}
	}
	inner, err := f.OS.OpenAppend(path, create)
	if err != nil {
		return nil, err
	}
	return &faultFile{File: inner, fs: f, os: inner.(durable.OSFile).File}, nil
}

type faultFile struct {
	durable.File
	fs     *faultFS
	os     *os.File
	synced int64
}

func (f *faultFile) Write(b []byte) (int, error) {
	f.fs.mu.Lock()
	delay, room := f.fs.delay, f.fs.room
	f.fs.mu.Unlock()
	time.Sleep(delay)
	if f.fs.take(&f.fs.failWrites) {
		n, _ := f.File.Write(b[:len(b)/2])
		return n, &fs.PathError{Op: "write", Path: f.os.Name(), Err: syscall.EIO}
	}
	if room < 0 {
		return f.File.Write(b)
	}
	n, _ := f.File.Write(b[:min(int64(len(b)), room)])
	f.fs.set(func(fs *faultFS) { fs.room -= int64(n) })
	if n < len(b) {
		return n, &fs.PathError{Op: "write", Path: f.os.Name(), Err: syscall.ENOSPC}
	}
	return n, nil
}

func (f *faultFile) Truncate(size int64) error {
	if f.fs.take(&f.fs.failCuts) {
		return &fs.PathError{Op: "truncate", Path: f.os.Name(), Err: syscall.EIO}
	}
	info, err := f.File.Stat()
	if err != nil {
		return err
	}
	if err := f.File.Truncate(size); err != nil {
		return err
	}
	f.fs.set(func(fs *faultFS) {
		if fs.room >= 0 {
			fs.room += info.Size() - size
		}
	})
	return nil
}

func (f *faultFile) Datasync() error {
	info, err := f.File.Stat()
	if err != nil {
		return err
	}
	if f.fs.take(&f.fs.failSyncs) {
		f.fs.mu.Lock()
		defer f.fs.mu.Unlock()
		if f.fs.wreck {
			f.fs.wrecked = true
			f.wreck(info.Size())
		}
		return &fs.PathError{Op: "fdatasync", Path: f.os.Name(), Err: syscall.EIO}
	}
	f.fs.mu.Lock()
	meanwhile := f.fs.onSync
	f.fs.onSync = nil
	f.fs.mu.Unlock()
	if meanwhile != nil {
		meanwhile()
	}
	f.synced = info.Size()
	return nil
}

// wreck overwrites what is not durable with NULs, as if the pages were gone.
func (f *faultFile) wreck(size int64) {
	w, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", f.os.Fd()), os.O_WRONLY, 0)
	if err != nil {
		return
	}
	defer w.Close()
	_, _ = w.WriteAt(make([]byte, size-f.synced), f.synced)
}
