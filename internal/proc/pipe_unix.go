//go:build unix

package proc

import (
	"os"
	"syscall"
)

// pipe returns the two ends of a pipe, with room for a large message where the
// system allows it. Both are blocking and unknown to Go's poller: os.Pipe would
// have it wake up for every message that a blocking Read has taken already.
func pipe() (r, w *os.File, err error) {
	var fd [2]int
	syscall.ForkLock.RLock() // nothing may start between the pipe and its flags
	err = syscall.Pipe(fd[:])
	if err == nil {
		syscall.CloseOnExec(fd[0])
		syscall.CloseOnExec(fd[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("pipe", err)
	}
	widen(fd[1])
	return os.NewFile(uintptr(fd[0]), "|0"), os.NewFile(uintptr(fd[1]), "|1"), nil
}
