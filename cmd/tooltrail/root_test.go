package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestEveryCommandExplainsItself(t *testing.T) {
	root := newRoot(newApp())
	for _, cmd := range root.Commands() {
		if cmd.Hidden || cmd.Name() == "help" {
			continue
		}
		if cmd.Short == "" || cmd.Example == "" || cmd.GroupID == "" {
			t.Errorf("%s has no short text, no example, or no group", cmd.Name())
		}
		if !strings.Contains(cmd.Example, "  tooltrail "+cmd.Name()) {
			t.Errorf("%s: the example does not show it: %q", cmd.Name(), cmd.Example)
		}
		help := cmd.UsageString()
		if example, usage := strings.Index(help, "Examples:"), strings.Index(help, "Usage:"); example < 0 || usage < example {
			t.Errorf("%s: the help does not begin with an example:\n%s", cmd.Name(), help)
		}
	}
}

// Commands that read print stored lines, or one object, for programs.
func TestEveryReaderSpeaksJSON(t *testing.T) {
	for _, cmd := range newRoot(newApp()).Commands() {
		if cmd.GroupID == groupLook && cmd.Flags().Lookup("json") == nil {
			t.Errorf("%s has no --json", cmd.Name())
		}
	}
}

func TestExamplesAreCalledRightly(t *testing.T) {
	root := newRoot(newApp())
	for _, cmd := range root.Commands() {
		for line := range strings.Lines(cmd.Example) {
			checkExample(t, root, strings.TrimSpace(line))
		}
	}
}

// checkExample looks for the command and the flags that an example uses.
func checkExample(t *testing.T, root *cobra.Command, line string) {
	t.Helper()
	line, _, _ = strings.Cut(line, " | ")
	words := strings.Fields(line)
	if len(words) == 0 || words[0] != "tooltrail" {
		return
	}
	cmd, args, err := root.Find(shieldNegations(words[1:]))
	if err != nil || cmd == root {
		t.Errorf("%q: no such command: %v", line, err)
		return
	}
	for i, arg := range args {
		if arg == ">" {
			args = args[:i]
			break
		}
	}
	if err := cmd.ParseFlags(args); err != nil {
		t.Errorf("%q: %v", line, err)
	}
}
