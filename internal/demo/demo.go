// Package demo shows the main job on something real: an agent calls the tools
// of an MCP server in a process of its own, with the relay in between, and
// tools of its own through the library. The calls end in all six outcomes, and
// the last one crashes the server.
package demo

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/internal/proc"
	"github.com/tooltrail/tooltrail/relay"
)

// Options say how to run the demo.
type Options struct {
	// Server is the command of the demo's server: this program with the
	// arguments that lead to [Serve].
	Server []string
	// Sink takes the events.
	Sink audit.Sink
	// Principal is who runs the demo.
	Principal string
	// MACKey is the key of the digests in the events.
	MACKey []byte
}

// Calls is how many calls the demo makes, each of which ends in one event.
func Calls() int { return len(script) + 2 }

// Run runs the demo. When it returns, every call has been given to the sink.
func Run(o *Options) error {
	child, err := proc.Start(&proc.Options{Args: o.Server, Stderr: os.Stderr})
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	observer := relay.New(&relay.Options{
		Sink: o.Sink, Server: "demo-server", Transport: audit.TransportStdio, Principal: o.Principal, MACKey: o.MACKey,
	})
	requests, fromAgent := io.Pipe()
	toAgent, replies := io.Pipe()
	go func() {
		_ = observer.PumpClient(child.Stdin(), requests)
		requests.Close() // a server that stopped reading gets no more
		child.Hangup()
	}()
	over := make(chan struct{})
	go func() {
		_ = observer.PumpServer(replies, child.Stdout())
		replies.Close()
		close(over)
	}()
	a := &agent{to: fromAgent, replies: bufio.NewScanner(toAgent)}
	err = a.run()
	fromAgent.Close()
	toAgent.Close() // an agent that gave up reads no more
	<-over
	if status := child.Wait(); errors.Is(err, errServerGone) {
		err = fmt.Errorf("%w (%v)", err, status)
	}
	observer.Close(relay.EndServerExited)
	local(o.Sink)
	return err
}
