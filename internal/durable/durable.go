// Package durable makes files, names and directories that survive a power cut.
//
// A file's bytes are durable after fsync of the file, its name only after
// fsync of the directory that holds it; a rename replaces atomically but is
// durable, too, only after fsync of the directory (POSIX fsync; LWN "A way to
// do atomic writes", 2019; Pillai et al., "All File Systems Are Not Created
// Equal", OSDI 2014). After a failed fsync the kernel may have marked the
// pages clean, so that a second fsync succeeds without having written them
// (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC
// 2020): no descriptor is to be trusted after one.
package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Modes of what this project keeps to its owner.
const (
	FileMode = 0o600
	DirMode  = 0o700
)

// OpenAppend opens a regular file for reading and for [Append]. With create the
// file is made, and must not exist. A symbolic link is not followed and a FIFO
// does not hang; what is not a regular file of our own with one name is
// refused with an [*UnsafeError].
func OpenAppend(path string, create bool) (*os.File, error) {
	f, err := openAppend(path, create)
	if err != nil {
		return nil, err
	}
	if err := CheckSafe(f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// An UnsafeError says why a file is not ours to write.
type UnsafeError struct {
	Path   string
	Reason string
}

// Error names the file and the reason.
func (e *UnsafeError) Error() string {
	return fmt.Sprintf("%s is unsafe to write: %s", e.Path, e.Reason)
}

// CheckSafe returns an [*UnsafeError] unless f is a regular file that belongs
// to this process's user and has exactly one name.
func CheckSafe(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return &UnsafeError{f.Name(), "not a regular file"}
	}
	if reason := foreign(info); reason != "" {
		return &UnsafeError{f.Name(), reason}
	}
	return nil
}

// SyncDir makes the names in a directory durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return syncDir(d)
}

// Rename moves a file, replacing what is there, and makes the name durable.
func Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(to))
}

// Mkdir makes a directory and its parents, private to the user, and makes
// their names durable. One that exists is left as it is.
func Mkdir(dir string) error {
	info, err := os.Stat(dir)
	if err == nil && info.IsDir() {
		return nil
	}
	if err == nil {
		return &fs.PathError{Op: "mkdir", Path: dir, Err: errNotDir}
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := Mkdir(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, DirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return SyncDir(parent)
}

var errNotDir = errors.New("exists and is not a directory")

// WriteFile replaces a small file so that, at any moment, either the old or
// the new content is there in full.
func WriteFile(path string, data []byte) error {
	if err := replace(path, data, Datasync); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// Publish replaces a small file for all who open it from now on. It is not
// durable: after a power cut the old content may be back, or none.
func Publish(path string, data []byte) error {
	return replace(path, data, func(*os.File) error { return nil })
}

func replace(path string, data []byte, sync func(*os.File) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(data)
	if err == nil {
		err = sync(f)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
