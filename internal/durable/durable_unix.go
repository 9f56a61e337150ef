//go:build unix

package durable

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// O_CLOEXEC is set by package os.
const (
	openNonblock = syscall.O_NONBLOCK
	openFlags    = syscall.O_NOFOLLOW | openNonblock
)

func openAppend(path string, create bool) (*os.File, error) {
	flag := os.O_RDWR | os.O_APPEND | openFlags
	if create {
		flag |= os.O_CREATE | os.O_EXCL
	}
	return os.OpenFile(path, flag, FileMode)
}

// Append writes at the end of a file that OpenAppend opened, with one write(2)
// unless the system takes less.
func Append(f *os.File, b []byte) (int, error) { return f.Write(b) }

func foreign(info fs.FileInfo) string {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	if uid := os.Geteuid(); int(st.Uid) != uid {
		return fmt.Sprintf("it belongs to user %d, not %d", st.Uid, uid)
	}
	if st.Nlink > 1 {
		return fmt.Sprintf("it has %d names (hard links)", st.Nlink)
	}
	return ""
}

func syncDir(d *os.File) error { return d.Sync() }
