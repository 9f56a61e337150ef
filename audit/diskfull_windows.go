package audit

import (
	"errors"
	"syscall"
)

// Windows' ERROR_HANDLE_DISK_FULL and ERROR_DISK_FULL.
const (
	handleDiskFull = 39
	diskFull       = 112
)

// isDiskFull reports whether err says that there is no room left.
func isDiskFull(err error) bool {
	var errno syscall.Errno
	return errors.As(err, &errno) && (errno == handleDiskFull || errno == diskFull)
}
