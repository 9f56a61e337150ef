//go:build unix

package reftools

import "syscall"

// openFlags keep an open from waiting, and from giving us a terminal.
const openFlags = syscall.O_NONBLOCK | syscall.O_NOCTTY
