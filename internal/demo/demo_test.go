package demo

import (
	"bufio"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/tooltrail/tooltrail/audit/audittest"
)

// TestMain plays the demo's server when it is started as one.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "demo-server" {
		if Serve(os.Stdin, os.Stdout) != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func TestDemoEndsInEveryOutcome(t *testing.T) {
	var seen audittest.Memory
	if err := Run(&Options{Server: []string{os.Args[0], "demo-server"}, Sink: &seen}); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, ev := range seen.Events() {
		kinds = append(kinds, ev.ToolID+" "+ev.Outcome.Kind.String()+" "+ev.Outcome.Code)
	}
	want := []string{
		"get_weather success ", "get_weather success ", "get_weather invalid_args ", "read_file execution_failed TOOL_ERROR",
		"send_email tool_not_found ", "convert_units execution_failed SERVER_EXITED",
		"run_shell capability_denied ", "web_search rate_limited ",
	}
	if len(kinds) != len(want) || len(kinds) != Calls() {
		t.Fatalf("%d events: %q", len(kinds), kinds)
	}
	for i := range want {
		if kinds[i] != want[i] {
			t.Errorf("event %d is %q, want %q", i, kinds[i], want[i])
		}
	}
}

// A server that ends too early is said to, with its status.
func TestServerThatEndsEarly(t *testing.T) {
	var seen audittest.Memory
	err := Run(&Options{Server: []string{"sh", "-c", "read line; exit 4"}, Sink: &seen})
	if !errors.Is(err, errServerGone) || !strings.Contains(err.Error(), "initialize") || !strings.Contains(err.Error(), "exit code 4") {
		t.Errorf("%v", err)
	}
}

// An agent that gives up does not wait for a server that writes on.
func TestServerThatDoesNotStopWriting(t *testing.T) {
	var seen audittest.Memory
	err := Run(&Options{Server: []string{"sh", "-c", "exec tr '\\0' a </dev/zero"}, Sink: &seen})
	if !errors.Is(err, bufio.ErrTooLong) {
		t.Errorf("%v", err)
	}
}
