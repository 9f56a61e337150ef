package reftools

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/tooltrail/tooltrail/dispatch"
)

// Codes of failures, as ATD has them.
const (
	codeIO           = "IO"
	codeIsDir        = "IS_DIR"
	codeEncoding     = "ENCODING"
	codeNotFound     = "NOT_FOUND"
	codeAccess       = "EACCES"
	codeNotDir       = "NOT_A_DIRECTORY"
	codeNoParent     = "NO_PARENT"
	codeNotRead      = "NOT_READ"
	codeModified     = "FILE_MODIFIED"
	codeNotAvailable = "NOT_AVAILABLE"
)

// pathErrors are what every tool on files may fail with.
var pathErrors = []dispatch.ErrorSpec{
	{Code: codeNotFound, Description: "there is nothing at the path"},
	{Code: codeAccess, Description: "the server's user may not"},
	{Code: codeNotDir, Description: "a part of the path is no directory"},
	{Code: codeNotAvailable, Description: "what is at the path is no regular file"},
	{Code: codeIO, Description: "the file system failed", Retryable: true},
}

// locate returns the place of a path, without asking the file system.
func locate(c *dispatch.Call, path string) (string, error) {
	if strings.ContainsRune(path, 0) {
		return "", dispatch.InvalidArgs("/path: holds a NUL character")
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(c.Dir, path)
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return "", failed(err, path)
	}
	return full, nil
}

// resolve returns the canonical path of what is at a path.
func resolve(c *dispatch.Call, path string) (string, error) {
	full, err := locate(c, path)
	if err != nil {
		return "", err
	}
	canonical, err := filepath.EvalSymlinks(full)
	if err != nil {
		return "", failed(err, path)
	}
	return canonical, ordinary(canonical, path)
}

// ordinary refuses what the kernel shows as files: /proc/self/environ is the
// server's own environment, with what keys it has.
func ordinary(canonical, path string) error {
	for _, dir := range []string{"/proc", "/sys", "/dev"} {
		if canonical == dir || strings.HasPrefix(canonical, dir+"/") {
			return dispatch.Fail(codeNotAvailable, false, "%s is no ordinary file", path)
		}
	}
	return nil
}

// openRegular opens a regular file to read it. It looks before it opens, since
// opening a device can have effects, and after it, since it may have been
// replaced; opening what is no regular file never hangs.
func openRegular(canonical, path string) (*os.File, fs.FileInfo, error) {
	info, err := os.Stat(canonical)
	if err == nil {
		err = regular(info, path)
	}
	if err != nil {
		return nil, nil, failed(err, path)
	}
	f, err := os.OpenFile(canonical, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, nil, failed(err, path)
	}
	if info, err = f.Stat(); err == nil {
		err = regular(info, path)
	}
	if err != nil {
		f.Close()
		return nil, nil, failed(err, path)
	}
	return f, info, nil
}

func regular(info fs.FileInfo, path string) error {
	switch {
	case info.IsDir():
		return dispatch.Fail(codeIsDir, false, "%q is a directory", path)
	case !info.Mode().IsRegular():
		return dispatch.Fail(codeNotAvailable, false, "%q is no regular file", path)
	}
	return nil
}

// failed gives an error of the file system its code. It keeps one that has
// its code already.
func failed(err error, path string) error {
	var f *dispatch.Failure
	var system *fs.PathError
	switch {
	case errors.As(err, &f):
		return err
	case errors.Is(err, fs.ErrNotExist):
		return dispatch.Fail(codeNotFound, false, "there is no %q", path)
	case errors.Is(err, fs.ErrPermission):
		return dispatch.Fail(codeAccess, false, "no permission for %q", path)
	case errors.Is(err, syscall.ENOTDIR):
		return dispatch.Fail(codeNotDir, false, "a part of %q is no directory", path)
	case errors.Is(err, syscall.EISDIR):
		return dispatch.Fail(codeIsDir, false, "%q is a directory", path)
	case errors.Is(err, syscall.ENAMETOOLONG), errors.Is(err, syscall.ELOOP):
		return dispatch.InvalidArgs("/path: is too long, or its links go in a circle")
	case errors.As(err, &system):
		err = system.Err
	}
	return dispatch.Fail(codeIO, true, "%s: %v", path, err)
}
