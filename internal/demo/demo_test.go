package demo

import (
	"os"
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
