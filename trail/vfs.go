package trail

import (
	"io"
	"io/fs"
	"os"

	"github.com/tooltrail/tooltrail/internal/durable"
)

// A fileSystem is what the writer needs of one. Tests put one in its place
// that fails on schedule.
type fileSystem interface {
	// OpenAppend opens a segment safely; with create it must not exist.
	OpenAppend(path string, create bool) (file, error)
	// Rename replaces to, durably.
	Rename(from, to string) error
	Remove(path string) error
	Lstat(path string) (fs.FileInfo, error)
	// Mkdir makes a directory and its parents, durably.
	Mkdir(dir string) error
	SyncDir(dir string) error
}

// A file is an open segment.
type file interface {
	io.Writer
	io.ReaderAt
	Truncate(size int64) error
	Datasync() error
	Stat() (fs.FileInfo, error)
	Chmod(mode fs.FileMode) error
	Close() error
}

// osFS is the real file system.
type osFS struct{}

type osFile struct{ *os.File }

func (f osFile) Write(b []byte) (int, error) { return durable.Append(f.File, b) }

func (f osFile) Datasync() error { return durable.Datasync(f.File) }

func (osFS) OpenAppend(path string, create bool) (file, error) {
	f, err := durable.OpenAppend(path, create)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (osFS) Rename(from, to string) error           { return durable.Rename(from, to) }
func (osFS) Remove(path string) error               { return os.Remove(path) }
func (osFS) Lstat(path string) (fs.FileInfo, error) { return os.Lstat(path) }
func (osFS) Mkdir(dir string) error                 { return durable.Mkdir(dir) }
func (osFS) SyncDir(dir string) error               { return durable.SyncDir(dir) }
