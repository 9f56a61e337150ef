package proc

import (
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// raise ends this process by a signal. The Go runtime has a handler of its own
// for most signals, some of which print and exit with code 2, so the default
// disposition is put back beneath it. It returns where the signal does not end
// a process.
func raise(sig syscall.Signal) {
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	var act struct { // kernel_sigaction; all zero is SIG_DFL
		handler, flags, restorer uintptr
		mask                     [16]uint64 // larger than any kernel's sigset_t
	}
	const setSize = 8 // of sigset_t, on every architecture of Linux but MIPS
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&act)), 0, setSize, 0, 0)
	if syscall.Kill(os.Getpid(), sig) == nil {
		time.Sleep(100 * time.Millisecond) // any thread may be the one to take it
	}
}
