//go:build unix

package atd

import (
	"errors"
	"syscall"
)

// isPassing reports whether accepting may succeed later: this process or this
// machine has no descriptor or no memory left.
func isPassing(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED, syscall.EINTR} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
