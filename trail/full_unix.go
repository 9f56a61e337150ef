//go:build unix

package trail

import (
	"errors"
	"syscall"
)

// isFull reports whether err says that there is no room, on the disk or in the
// user's quota: the file itself is as good as before.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
