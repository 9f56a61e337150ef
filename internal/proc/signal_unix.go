//go:build unix

package proc

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// passed are the signals that Forward passes on.
var passed = []os.Signal{
	syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT,
	syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH,
	syscall.SIGTSTP, syscall.SIGCONT,
}

// Signal sends a signal to the command's process group. It returns
// [os.ErrProcessDone] when nothing of the command is left.
func (c *Child) Signal(sig os.Signal) error {
	s, ok := sig.(syscall.Signal)
	if !ok {
		return fmt.Errorf("proc: signal %v is not of this system", sig)
	}
	return c.tree.signal(s)
}

// catch takes the signals that are passed on, before there is anything to
// pass them to, so that none of them can end us and leave the command behind.
func catch() (ch chan os.Signal, release func()) {
	ch = make(chan os.Signal, 16)
	for _, sig := range passed {
		if !signal.Ignored(sig) {
			signal.Notify(ch, sig)
		}
	}
	pipe := make(chan os.Signal, 1)
	signal.Notify(pipe, syscall.SIGPIPE) // a write to a client that is gone is an error, no more
	return ch, func() { signal.Stop(ch); signal.Stop(pipe) }
}

// forward passes one signal on.
func (c *Child) forward(sig os.Signal) {
	_ = c.Signal(sig)
	switch sig {
	case syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT:
		c.ask()
	case syscall.SIGTSTP:
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	}
}

// statusOf converts what the system says of a process.
func statusOf(ps *os.ProcessState) ExitStatus {
	if ws, ok := ps.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return ExitStatus{Signal: ws.Signal()}
	}
	return ExitStatus{Code: ps.ExitCode()}
}

// childSignals tells when a child of a dedicated process has ended.
func childSignals(t *tree) (<-chan os.Signal, func()) {
	if !t.dedicated {
		return nil, func() {}
	}
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, syscall.SIGCHLD)
	return ch, func() { signal.Stop(ch) }
}
