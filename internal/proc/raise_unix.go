//go:build unix && !linux

package proc

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// raise ends this process by a signal, where the Go runtime would let it do
// so in the default way. It returns otherwise.
func raise(sig syscall.Signal) {
	switch sig {
	case syscall.SIGHUP, syscall.SIGINT, syscall.SIGKILL, syscall.SIGTERM:
		signal.Reset(sig)
		if syscall.Kill(os.Getpid(), sig) == nil {
			time.Sleep(100 * time.Millisecond)
		}
	}
}
