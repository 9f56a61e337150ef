// Package stdio runs an MCP server behind the relay: it starts the server's
// command, carries the bytes between it and the client, and sees to it that
// every call has its event when either side is gone.
package stdio

import (
	"fmt"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/tooltrail/tooltrail/internal/proc"
	"github.com/tooltrail/tooltrail/relay"
)

// Options say what to run, and between which ends.
type Options struct {
	// Args are the server's command and its arguments.
	Args []string
	// Stdin and Stdout are the client's. They are closed when the server no
	// longer reads or writes, so that the client learns of it.
	Stdin, Stdout *os.File
	// Stderr is given to the server as it is.
	Stderr *os.File
	// Observer sees the traffic. Run closes it.
	Observer *relay.Observer
}

// Run runs the server until it has ended and nothing of it is left, and returns
// how it ended. An error means that it could not be started. It may be called
// once in the life of a process, whose signals are the server's from then on.
func Run(o *Options) (proc.ExitStatus, error) {
	stop := catchStop()
	child, err := proc.Start(&proc.Options{Args: o.Args, Stderr: o.Stderr, Dedicated: true})
	if err != nil {
		return proc.ExitStatus{}, fmt.Errorf("stdio: %w", err)
	}
	s := &session{Options: o, child: child}
	go s.carryRequests()
	go func() {
		<-stop
		s.endedBy(relay.EndStopped)
	}()
	carried := make(chan struct{})
	go func() {
		s.carryReplies()
		close(carried)
	}()
	status := s.wait(carried)
	s.endedBy(relay.EndServerExited)
	o.Observer.Close(s.reason)
	return status, nil
}

// catchStop takes the signals that tell us to end, but those that we were
// started to ignore (nohup): they stay ignored, by the server too.
func catchStop() <-chan os.Signal {
	stop := make(chan os.Signal, 1)
	for _, sig := range stopSignals {
		if !signal.Ignored(sig) {
			signal.Notify(stop, sig)
		}
	}
	return stop
}

// lastWords is how long the output of a server may stay open when nothing of
// it is left that we know of. Only a process that got away can hold it.
const lastWords = time.Second

// wait waits for the end of the server's output and of the server.
func (s *session) wait(carried <-chan struct{}) proc.ExitStatus {
	select {
	case <-carried:
	case <-s.child.Done():
		select {
		case <-carried:
		case <-time.After(lastWords):
		}
	}
	return s.child.Wait()
}

// A session is one run of a server.
type session struct {
	*Options
	child *proc.Child

	first  sync.Once
	reason relay.EndReason // set by first
}

// endedBy remembers the first reason for which the session ends: the others
// follow from it.
func (s *session) endedBy(reason relay.EndReason) {
	s.first.Do(func() { s.reason = reason })
}

// carryRequests carries the client's bytes until it closes its side, or the
// server stops reading.
func (s *session) carryRequests() {
	if s.Observer.PumpClient(s.child.Stdin(), s.Stdin) == nil {
		s.endedBy(relay.EndClientGone)
	}
	s.Stdin.Close()
	s.child.Hangup()
}

// carryReplies carries the server's bytes until it closes its side, or the
// client stops reading.
func (s *session) carryReplies() {
	if s.Observer.PumpServer(s.Stdout, s.child.Stdout()) == nil {
		s.endedBy(relay.EndServerExited)
	} else {
		s.endedBy(relay.EndClientGone)
	}
	s.child.Stdout().Close()
	s.Stdout.Close()
}
