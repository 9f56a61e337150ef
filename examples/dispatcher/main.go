// Command dispatcher is a tool dispatcher of your own with an audit of every
// outcome: one deferred call records the event, whichever return ends the run.
//
//	go run ./examples/dispatcher
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/tooltrail/tooltrail/audit"
)

// A tool needs a capability, may be busy, and takes one argument.
type tool struct {
	capability string
	busy       bool
	run        func(arg string) (string, error)
}

var tools = map[string]tool{
	"echo":   {run: func(arg string) (string, error) { return arg, nil }},
	"fail":   {run: func(string) (string, error) { return "", errors.New("disk on fire") }},
	"delete": {capability: "write", run: func(string) (string, error) { return "gone", nil }},
	"render": {busy: true},
	"crash":  {run: func(string) (string, error) { panic("nil map") }},
}

func dispatch(sink audit.Sink, caller string, caps []string, name, arg string) (result string, err error) {
	ev := audit.CallEvent{CallID: audit.NewCallID(), ToolID: name, CallerID: caller, GrantedCapabilities: caps}
	start := time.Now()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s panicked: %v", name, r)
			ev.Outcome, ev.DecidedBy = audit.ExecutionFailed(audit.CodePanic, false), audit.ByTool
		}
		ev.Time, ev.Duration = time.Now(), time.Since(start)
		sink.OnCall(&ev)
	}()

	t, known := tools[name]
	switch {
	case !known:
		ev.Outcome, ev.DecidedBy = audit.ToolNotFound(), audit.ByDispatcher
		return "", fmt.Errorf("no tool %q", name)
	case t.capability != "" && !slices.Contains(caps, t.capability):
		ev.Outcome, ev.DecidedBy = audit.CapabilityDenied([]string{t.capability}), audit.ByPolicy
		return "", fmt.Errorf("%s needs %s", name, t.capability)
	case t.busy:
		ev.Outcome, ev.DecidedBy = audit.RateLimited(time.Second), audit.ByLimiter
		return "", fmt.Errorf("%s is busy", name)
	case arg == "":
		ev.Outcome, ev.DecidedBy = audit.InvalidArgs("the argument is empty"), audit.ByDispatcher
		return "", errors.New("the argument is empty")
	}
	ev.DecidedBy = audit.ByTool
	if result, err = t.run(arg); err != nil {
		ev.Outcome = audit.ExecutionFailed("IO", true)
		return "", err
	}
	ev.Outcome = audit.Success()
	return result, nil
}

func main() {
	sink := audit.Stdout(nil)
	for _, call := range [][2]string{{"echo", "hello"}, {"echo", ""}, {"fail", "x"}, {"crash", "x"}, {"delete", "x"}, {"render", "x"}, {"nonsense", "x"}} {
		if result, err := dispatch(sink, "agent-A", []string{"read"}, call[0], call[1]); err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
		} else {
			fmt.Fprintln(os.Stderr, "result:", result)
		}
	}
	if err := sink.Close(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
