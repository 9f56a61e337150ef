//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tooltrail/tooltrail/internal/rig"
)

// behind returns a script that puts the relay in front of its arguments, for
// clients whose own command line has no place for a "--".
func behind(t *testing.T, home string) string {
	t.Helper()
	script := filepath.Join(t.TempDir(), "relay")
	text := "#!/bin/sh\nexec '" + strings.Join(run(home, nil), "' '") + "' \"$@\"\n"
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return script
}

// An inspection is one call by the inspector's command line, and the event
// that it must leave.
type inspection struct{ args, event string }

func TestInspector(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "hello.txt"), []byte("hällo\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	memory := "MEMORY_FILE_PATH=" + filepath.Join(t.TempDir(), "memory.jsonl")
	for name, c := range map[string]struct {
		server []string
		calls  []inspection
	}{
		"filesystem": {rig.Filesystem(t, dir), []inspection{
			{"--method tools/list", ""},
			{"--method tools/call --tool-name list_directory --tool-arg path=" + dir, "list_directory success"},
			{"--method tools/call --tool-name read_text_file --tool-arg path=" + dir + "/hello.txt", "read_text_file success"},
			{"--method tools/call --tool-name read_text_file --tool-arg path=" + dir + "/none", "read_text_file execution_failed TOOL_ERROR"},
			{"--method tools/call --tool-name read_text_file --tool-arg path=/etc/passwd", "read_text_file execution_failed TOOL_ERROR"},
			{"--method tools/call --tool-name read_text_file --tool-arg nonsense=1", "read_text_file invalid_args"},
		}},
		"filesystem by npx": {rig.NpxFilesystem(t, dir), []inspection{
			{"--method tools/call --tool-name list_directory --tool-arg path=" + dir, "list_directory success"},
		}},
		"memory": {rig.Memory(t), []inspection{
			{"--method tools/call --tool-name read_graph", "read_graph success"},
			{"--method tools/call --tool-name search_nodes --tool-arg query=x", "search_nodes success"},
		}},
		"everything": {rig.Everything(t), []inspection{
			{"--method tools/call --tool-name echo --tool-arg message=hi", "echo success"},
			{"--method tools/call --tool-name get-sum --tool-arg a=1 --tool-arg b=2", "get-sum success"},
			{"--method resources/list", ""},
			{"--method prompts/list", ""},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, call := range c.calls {
				inspect(t, c.server, call, memory)
			}
		})
	}
}

// inspect makes a call with and without the relay.
func inspect(t *testing.T, server []string, call inspection, env string) {
	t.Helper()
	home := t.TempDir()
	args := strings.Fields(call.args)
	direct := slices.Concat(rig.Inspector(t), server, args)
	relayed := slices.Concat(rig.Inspector(t), []string{behind(t, home)}, server, args)
	want, _, wantErr := outputIn(t, rig.Dir(t), direct, env)
	got, talk, gotErr := outputIn(t, rig.Dir(t), relayed, env)
	if got != want || (gotErr == nil) != (wantErr == nil) {
		t.Errorf("%s\nrelayed (%v): %s\ndirect (%v): %s\n%s", call.args, gotErr, got, wantErr, want, talk)
	}
	var wantEvents []string
	if call.event != "" {
		wantEvents = []string{call.event}
	}
	if got := names(events(t, home)); !slices.Equal(got, wantEvents) {
		t.Errorf("%s: events %q, want %q", call.args, got, wantEvents)
	}
}

// compare plays a scenario with and without the relay.
func compare(t *testing.T, client, server []string, env ...string) (home string) {
	t.Helper()
	home = t.TempDir()
	want, talk, err := output(t, slices.Concat(client, server), env...)
	if err != nil {
		t.Fatalf("direct: %v: %s\n%s", err, want, talk)
	}
	got, talk, err := output(t, slices.Concat(client, run(home, server)), env...)
	if err != nil {
		t.Fatalf("relayed: %v: %s\n%s", err, got, talk)
	}
	direct, relayed := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(direct), len(relayed)) {
		if i >= len(direct) || i >= len(relayed) || direct[i] != relayed[i] {
			t.Fatalf("step %d\nrelayed: %.400q\ndirect:  %.400q", i, line(relayed, i), line(direct, i))
		}
	}
	return home
}

func line(all []string, i int) string {
	if i < len(all) {
		return all[i]
	}
	return "(none)"
}

func TestTypeScriptClientWithEverything(t *testing.T) {
	t.Parallel()
	home := compare(t, rig.TSClient(t, "everything"), rig.Everything(t))
	wantEvents(t, home, map[string]int{
		"echo success":                                              52,
		"get-sum success":                                           1,
		"get-sum invalid_args":                                      1,
		"get-tiny-image success":                                    1,
		"get-env success":                                           1,
		"get-structured-content success":                            1,
		"no-such-tool tool_not_found":                               1,
		"invalid_args":                                              1, // no name
		"trigger-sampling-request success":                          1,
		"trigger-elicitation-request success":                       1,
		"get-roots-list success":                                    1,
		"trigger-long-running-operation success":                    1,
		"trigger-long-running-operation execution_failed TIMEOUT":   1,
		"trigger-long-running-operation execution_failed CANCELLED": 1,
	})
}

// Each family of servers says the same things in its own way; the events are
// the same.
func TestOutcomesOfEveryServerFamily(t *testing.T) {
	for name, server := range map[string][]string{
		"TypeScript 2":     rig.Server2(t),
		"Go SDK":           rig.GoSDKServer(t),
		"mcp-go":           rig.MCPGoServer(t),
		"mcp-go, checking": append(rig.MCPGoServer(t), "-validate"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := compare(t, rig.TSClient(t, "outcomes"), server)
			wantEvents(t, home, map[string]int{
				"echo success":                        51,
				"echo invalid_args":                   1,
				"fail execution_failed TOOL_ERROR":    1,
				"no-such-tool tool_not_found":         1,
				"slow execution_failed TIMEOUT":       1,
				"exit execution_failed SERVER_EXITED": 1,
			})
		})
	}
}

func TestGoClient(t *testing.T) {
	for name, server := range map[string][]string{
		"Go SDK": rig.GoSDKServer(t),
		"mcp-go": rig.MCPGoServer(t),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := compare(t, rig.GoSDKClient(t), server)
			wantEvents(t, home, map[string]int{
				"echo success":                     52,
				"echo invalid_args":                2,
				"fail execution_failed TOOL_ERROR": 1,
				"nowhere tool_not_found":           1,
				"slow execution_failed TIMEOUT":    1,
			})
		})
	}
}

// A panic ends a server of the Go SDK; mcp-go answers it with an error.
func TestPanic(t *testing.T) {
	for name, c := range map[string]struct {
		server []string
		event  string
	}{
		"Go SDK":       {rig.GoSDKServer(t), "panic execution_failed SERVER_EXITED"},
		"mcp-go":       {rig.MCPGoServer(t), "panic execution_failed RPC_-32603"},
		"TypeScript 2": {rig.Server2(t), "panic execution_failed TOOL_ERROR"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			s := dial(t, "", run(home, c.server)).initialize().call(2, "panic", "{}")
			if strings.HasSuffix(c.event, "SERVER_EXITED") {
				s.ends()
			} else {
				s.reply(2)
			}
			s.in.Close()
			s.over()
			wantEvents(t, home, map[string]int{c.event: 1})
		})
	}
}
