//go:build unix

package audit

import (
	"errors"
	"syscall"
)

// isDiskFull reports whether err says that there is no room left, on the disk
// or in the user's quota.
func isDiskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
