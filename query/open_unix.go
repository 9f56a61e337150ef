//go:build unix

package query

import "syscall"

// openNonblock keeps a FIFO in a segment's place from hanging a reader.
const openNonblock = syscall.O_NONBLOCK
