package durable

import (
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

const (
	openNonblock = 0
	openFlags    = 0
)

// openAppend shares the file for deletion, so that it can be renamed while it
// is open, and opens a link instead of what it points to.
func openAppend(path string, create bool) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	mode := uint32(windows.OPEN_EXISTING)
	if create {
		mode = windows.CREATE_NEW
	}
	h, err := windows.CreateFile(name, windows.GENERIC_READ|windows.GENERIC_WRITE,
		windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE, nil, mode,
		windows.FILE_ATTRIBUTE_NORMAL|windows.FILE_FLAG_OPEN_REPARSE_POINT, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}

// Append writes at the end of a file that OpenAppend opened. A handle that may
// only append could not be cut back, so the end is sought; the file has one
// writer.
func Append(f *os.File, b []byte) (int, error) {
	if _, err := f.Seek(0, io.SeekEnd); err != nil {
		return 0, err
	}
	return f.Write(b)
}

// foreign has nothing to check: access is by inherited lists.
func foreign(fs.FileInfo) string { return "" }

// syncDir does nothing: NTFS journals names, and a directory handle cannot be
// flushed.
func syncDir(*os.File) error { return nil }

// Datasync makes a file's content durable (FlushFileBuffers).
func Datasync(f *os.File) error { return f.Sync() }
