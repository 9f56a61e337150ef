package proc

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Signal presses Ctrl-Break for the command (os.Interrupt, SIGTERM) or kills
// it (os.Kill). Windows has no other signals.
func (c *Child) Signal(sig os.Signal) error {
	if closed(c.done) {
		return os.ErrProcessDone
	}
	switch sig {
	case os.Interrupt, syscall.SIGTERM:
		return c.tree.interrupt()
	case os.Kill:
		c.tree.kill()
		return nil
	}
	return fmt.Errorf("proc: signal %v is not of this system", sig)
}

// catch takes Ctrl-C and Ctrl-Break (os.Interrupt) and the closing of the
// console (SIGTERM).
func catch() (ch chan os.Signal, release func()) {
	ch = make(chan os.Signal, 4)
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM)
	return ch, func() { signal.Stop(ch) }
}

// forward passes one of them on. All of them ask for the end.
func (c *Child) forward(sig os.Signal) {
	_ = c.Signal(sig)
	c.ask()
}

// childSignals has nothing to tell: see tree.reap.
func childSignals(*tree) (<-chan os.Signal, func()) { return nil, func() {} }

// statusOf converts what the system says of a process.
func statusOf(ps *os.ProcessState) ExitStatus { return ExitStatus{Code: ps.ExitCode()} }

// raise cannot end a process by a signal here.
func raise(syscall.Signal) {}
