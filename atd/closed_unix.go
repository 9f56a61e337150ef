//go:build unix

package atd

import (
	"errors"
	"syscall"
)

// isClosed reports whether the peer has closed the connection.
func isClosed(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}
