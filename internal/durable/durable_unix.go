//go:build unix

package durable

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// O_CLOEXEC is set by package os.
const openFlags = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

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
