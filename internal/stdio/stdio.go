// Package stdio runs an MCP server behind the relay: it starts the server's
// command, carries the bytes between it and the client, and sees to it that
// every call has its event when either side is gone.
//
// # Slow clients
//
// A client that reads slowly holds up the server and nothing else: what the
// server wrote before it ended is the client's, however late it reads. Two
// things set a limit. A client that has closed its side has begun the ladder
// of package proc, so that a server which is still held up by the client's
// reading some 1.6 s later is ended then; without the relay it would live on
// until its client reads, goes or kills it. And once we were told to stop by a
// signal, the rest must be out soon after the server's end: a client that ends
// its servers by signals kills a moment later, and the calls need their events
// before that.
//
// # The last requests
//
// No request is passed on after the end of the session has begun to be
// recorded: what the client sends from then on goes the way of what it sends to
// a server that has exited. So each call that a server can have seen has its
// event.
package stdio

import (
	"fmt"
	"os"
	"os/signal"
	"sync"

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
		signal.Stop(stop)
		return proc.ExitStatus{}, fmt.Errorf("stdio: %w", err)
	}
	s := newSession(o, child, stop)
	go s.carryRequests()
	go s.carryReplies()
	go func() {
		<-s.stop
		s.stopNow()
	}()
	status := s.wait()
	s.serverEnded()
	s.requests.shut()
	o.Observer.Close(s.reason)
	return status, nil
}

// catchStop takes the signals that tell us to end, but those that we were
// started to ignore (nohup): they stay ignored, by the server too.
func catchStop() chan os.Signal {
	stop := make(chan os.Signal, 1)
	for _, sig := range stopSignals {
		if !signal.Ignored(sig) {
			signal.Notify(stop, sig)
		}
	}
	return stop
}

// A session is one run of a server.
type session struct {
	*Options
	child    *proc.Child
	requests *gate
	replies  *meter
	stop     <-chan os.Signal
	stopOne  sync.Once
	stopped  chan struct{} // closed when a signal told us to end
	carried  chan struct{} // closed when the last reply was carried

	first  sync.Once
	reason relay.EndReason // set by first
}

func newSession(o *Options, child *proc.Child, stop <-chan os.Signal) *session {
	return &session{
		Options:  o,
		child:    child,
		requests: &gate{client: o.Stdin, server: child.Stdin()},
		replies:  &meter{client: o.Stdout},
		stop:     stop,
		stopped:  make(chan struct{}),
		carried:  make(chan struct{}),
	}
}

// endedBy remembers the first reason for which the session ends: the others
// follow from it.
func (s *session) endedBy(reason relay.EndReason) {
	s.first.Do(func() { s.reason = reason })
}

// stopNow is what follows from a signal that tells us to end.
func (s *session) stopNow() {
	s.stopOne.Do(func() {
		s.endedBy(relay.EndStopped)
		close(s.stopped)
	})
}

// serverEnded remembers that the server ended first, unless a signal that it
// got from us is waiting to be looked at.
func (s *session) serverEnded() {
	select {
	case <-s.stop:
		s.stopNow()
	default:
		s.endedBy(relay.EndServerExited)
	}
}

// carryRequests carries the client's bytes until it is gone, or the server
// stops reading.
func (s *session) carryRequests() {
	_ = s.Observer.PumpClient(s.requests, s.requests)
	if !s.requests.refused {
		s.endedBy(relay.EndClientGone)
	}
	s.Stdin.Close()
	s.child.Hangup()
}

// carryReplies carries the server's bytes until it closes its side, or the
// client stops reading.
func (s *session) carryReplies() {
	defer close(s.carried)
	_ = s.Observer.PumpServer(s.replies, s.child.Stdout())
	if s.replies.refused {
		s.endedBy(relay.EndClientGone)
	} else {
		s.serverEnded()
	}
	s.child.Stdout().Close()
	s.Stdout.Close()
}
