package proc

import (
	"fmt"
	"os"
	"syscall"
)

// An ExitStatus says how a process ended: by a signal, or else with a code.
// The zero value is success.
type ExitStatus struct {
	// Code is the exit code, where Signal is 0.
	Code int
	// Signal is what ended the process; 0 where it exited. Windows has none.
	Signal syscall.Signal
}

// ShellCode returns the status as a shell's $? does: 128+n for signal n.
func (s ExitStatus) ShellCode() int {
	if s.Signal != 0 {
		return 128 + int(s.Signal)
	}
	return s.Code
}

// String describes the status for people.
func (s ExitStatus) String() string {
	if s.Signal != 0 {
		return fmt.Sprintf("signal %d (%v)", int(s.Signal), s.Signal)
	}
	return fmt.Sprintf("exit code %d", s.Code)
}

// Exit ends this process in the way that the status describes, so that whoever
// waits for us sees what it would have seen of the command. It does not return
// and runs no deferred calls.
//
// On Linux that holds for every signal; no core is dumped for us. Elsewhere on
// Unix it holds for HUP, INT, KILL and TERM, and other signals become the
// exit code 128+n, as they do in a shell.
func (s ExitStatus) Exit() {
	if s.Signal != 0 {
		raise(s.Signal)
	}
	os.Exit(s.ShellCode())
}
