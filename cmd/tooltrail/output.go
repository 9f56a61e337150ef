package main

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// errReaderGone says that nobody reads standard output any more, as after
// `tooltrail query | head`. It is a quiet end.
var errReaderGone = errors.New("nobody reads the output")

// A checkedWriter turns the errors of a closed pipe into errReaderGone.
type checkedWriter struct{ w io.Writer }

func (c checkedWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	if err != nil && isClosedPipe(err) {
		err = errReaderGone
	}
	return n, err
}

func isClosedPipe(err error) bool {
	if errors.Is(err, syscall.EPIPE) {
		return true
	}
	for _, e := range closedPipeErrors {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// surviveClosedPipes makes a write to a closed standard output return EPIPE.
// Without it the Go runtime ends the process by SIGPIPE when descriptor 1 or 2
// is the pipe (os/signal, "SIGPIPE"). The signal is caught and not ignored,
// because children inherit what is ignored.
func surviveClosedPipes() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
}
