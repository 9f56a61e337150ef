package durable

import (
	"io"
	"io/fs"
	"os"
)

// An FS is what the writers of trails and seals need of a file system. Tests
// put one in its place that fails on schedule, or forgets what was not synced.
type FS interface {
	// OpenAppend opens a file as the function OpenAppend does.
	OpenAppend(path string, create bool) (File, error)
	// WriteFile replaces a small file as the function WriteFile does.
	WriteFile(path string, data []byte) error
	// Publish replaces a small file for all who open it from now on. It is not
	// durable: after a power cut the old content may be back, or none.
	Publish(path string, data []byte) error
	// Rename replaces to, durably.
	Rename(from, to string) error
	Remove(path string) error
	Lstat(path string) (fs.FileInfo, error)
	// Mkdir makes a directory and its parents, durably.
	Mkdir(dir string) error
	SyncDir(dir string) error
}

// A File is a file that is appended to.
type File interface {
	io.Writer
	io.ReaderAt
	Truncate(size int64) error
	Datasync() error
	Stat() (fs.FileInfo, error)
	Chmod(mode fs.FileMode) error
	Close() error
}

// OS is the real file system.
type OS struct{}

// An OSFile is a real file.
type OSFile struct{ *os.File }

// Write appends as Append does.
func (f OSFile) Write(b []byte) (int, error) { return Append(f.File, b) }

// Datasync makes the file's bytes durable.
func (f OSFile) Datasync() error { return Datasync(f.File) }

// OpenAppend opens a file of the real file system.
func (OS) OpenAppend(path string, create bool) (File, error) {
	f, err := OpenAppend(path, create)
	if err != nil {
		return nil, err
	}
	return OSFile{f}, nil
}

// WriteFile is the function WriteFile.
func (OS) WriteFile(path string, data []byte) error { return WriteFile(path, data) }

// Publish is the function Publish.
func (OS) Publish(path string, data []byte) error { return Publish(path, data) }

// Rename is the function Rename.
func (OS) Rename(from, to string) error { return Rename(from, to) }

// Remove is os.Remove.
func (OS) Remove(path string) error { return os.Remove(path) }

// Lstat is os.Lstat.
func (OS) Lstat(path string) (fs.FileInfo, error) { return os.Lstat(path) }

// Mkdir is the function Mkdir.
func (OS) Mkdir(dir string) error { return Mkdir(dir) }

// SyncDir is the function SyncDir.
func (OS) SyncDir(dir string) error { return SyncDir(dir) }
