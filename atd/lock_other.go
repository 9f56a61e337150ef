//go:build !unix

package atd

import (
	"errors"
	"syscall"
)

func lockDir(string) (unlock func(), err error) { return func() {}, nil }

// isRefused knows WSAECONNREFUSED.
func isRefused(err error) bool { return errors.Is(err, syscall.Errno(10061)) }
