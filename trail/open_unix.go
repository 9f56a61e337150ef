//go:build unix

package trail

import "syscall"

const openNonblock = syscall.O_NONBLOCK
