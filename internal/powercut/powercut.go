// Package powercut is a file system that forgets what was not synced. Tests
// write through it, cut the power at any moment, and look at what a real disk
// might show when the machine is back.
//
//	disk := powercut.New(seed)
//	disk.After(100)              // or call Off at any moment
//	… write until everything fails with EIO …
//	err := disk.Cut()            // the files are now one of the possible states
//	… open them again with the real file system …
//
// What is promised after a cut is what POSIX promises and no more: bytes that
// were there when a successful Datasync began, names that were there when a
// SyncDir of their directory did. All else may be there or not, in any order
// among files and among the blocks of one.
package powercut

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"

	"github.com/tooltrail/tooltrail/internal/durable"
)

// An FS is a [durable.FS] over the real file system. What is on disk when it is
// made counts as durable, and so does what is written past it. It is safe for
// concurrent use.
type FS struct {
	mu     sync.Mutex // guards what follows
	rng    *rand.Rand
	off    bool
	fuse   int // changes until the power goes off; 0 is no limit
	inodes map[string]*inode
	names  map[string][]version // by path: what the name may lead to instead
}

var _ durable.FS = (*FS)(nil)

// New returns a file system whose decisions follow from seed, and from the
// order of what is done with it.
func New(seed uint64) *FS {
	return &FS{
		rng:    rand.New(rand.NewPCG(seed, 0x706f776572)),
		inodes: map[string]*inode{},
		names:  map[string][]version{},
	}
}

// After lets the power go off in the middle of the n-th change from now.
func (f *FS) After(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fuse = n
}

// Off turns the power off: every operation fails with EIO from now on. Nothing
// on disk changes before Cut.
func (f *FS) Off() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.off = true
}

// IsOff reports whether the power is off.
func (f *FS) IsOff() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.off
}

func failed(op, path string) error { return &fs.PathError{Op: op, Path: path, Err: syscall.EIO} }

// dies reports whether the power goes off in the middle of the change that is
// about to be made. f.mu is held.
func (f *FS) dies() bool {
	if f.fuse > 0 {
		f.fuse--
		f.off = f.fuse == 0
	}
	return f.off
}

// OpenAppend implements [durable.FS].
func (f *FS) OpenAppend(path string, create bool) (durable.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.off || create && f.dies() && f.rng.IntN(2) == 0 {
		return nil, failed("open", path)
	}
	file, err := durable.OpenAppend(path, create)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	node := f.inodes[path]
	if create || node == nil || !os.SameFile(node.info, info) {
		node = &inode{path: path, info: info, synced: info.Size(), mode: info.Mode().Perm()}
		f.inodes[path] = node
	}
	if create {
		f.names[path] = append(f.names[path], version{})
	}
	if f.off {
		_ = file.Close()
		return nil, failed("open", path)
	}
	return &handle{fs: f, file: durable.OSFile{File: file}, node: node}, nil
}

// WriteFile implements [durable.FS].
func (f *FS) WriteFile(path string, data []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.off {
		return failed("write", path)
	}
	if f.dies() {
		switch f.rng.IntN(3) {
		case 0: // nothing happened
			return failed("write", path)
		case 1: // its content is durable and its name is not
			if f.publish(path, data) == nil {
				f.inodes[path].synced = int64(len(data))
			}
			return failed("write", path)
		}
	}
	if err := durable.Publish(path, data); err != nil {
		return err
	}
	delete(f.inodes, path)
	f.settle(filepath.Dir(path))
	if f.off {
		return failed("write", path)
	}
	return nil
}

// Publish implements [durable.FS].
func (f *FS) Publish(path string, data []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.off || f.dies() && f.rng.IntN(2) == 0 {
		return failed("write", path)
	}
	if err := f.publish(path, data); err != nil || !f.off {
		return err
	}
	return failed("write", path)
}

func (f *FS) publish(path string, data []byte) error {
	before, err := snapshot(path)
	if err != nil {
		return err
	}
	if err := durable.Publish(path, data); err != nil {
		return err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	f.names[path] = append(f.names[path], before)
	f.inodes[path] = &inode{path: path, info: info, mode: info.Mode().Perm(), whole: true}
	return nil
}

// Rename implements [durable.FS].
func (f *FS) Rename(from, to string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.off || f.dies() && f.rng.IntN(2) == 0 {
		return failed("rename", from)
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	node := f.inodes[from]
	delete(f.inodes, from)
	delete(f.inodes, to)
	delete(f.names, from)
	if node != nil {
		node.path = to
		f.inodes[to] = node
	}
	f.settle(filepath.Dir(to))
	if f.off {
		return failed("rename", from)
	}
	return nil
}

// Remove implements [durable.FS].
func (f *FS) Remove(path string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	before, err := snapshot(path)
	switch {
	case f.off:
		return failed("remove", path)
	case err != nil:
		return err
	case before.data == nil:
		return &fs.PathError{Op: "remove", Path: path, Err: fs.ErrNotExist}
	case f.dies():
		return failed("remove", path)
	}
	if err := os.Remove(path); err != nil {
		return err
	}
	delete(f.inodes, path)
	f.names[path] = append(f.names[path], before)
	return nil
}

// Lstat implements [durable.FS].
func (f *FS) Lstat(path string) (fs.FileInfo, error) {
	if f.IsOff() {
		return nil, failed("lstat", path)
	}
	return os.Lstat(path)
}

// Mkdir implements [durable.FS].
func (f *FS) Mkdir(dir string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if info, err := os.Stat(dir); err == nil && info.IsDir() && !f.off {
		return nil
	}
	if f.off || f.dies() && f.rng.IntN(2) == 0 {
		return failed("mkdir", dir)
	}
	if err := durable.Mkdir(dir); err != nil || !f.off {
		return err
	}
	return failed("mkdir", dir)
}

// SyncDir implements [durable.FS].
func (f *FS) SyncDir(dir string) error {
	runtime.Gosched()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.off || f.dies() {
		return failed("fsync", dir)
	}
	f.settle(dir)
	return nil
}

// settle makes the names in a directory durable. f.mu is held.
func (f *FS) settle(dir string) {
	for path := range f.names {
		if filepath.Dir(path) == dir {
			delete(f.names, path)
		}
	}
}
