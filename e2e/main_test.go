//go:build linux

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// tooltrail is the program under test.
var tooltrail string

// TestMain builds the program, or plays one of the servers of this package.
// TOOLTRAIL_E2E_BINARY names a program that is built already;
// TOOLTRAIL_E2E_RACE asks for one with the race detector. Keys that it pins are
// not those of the user.
func TestMain(m *testing.M) {
	if role := os.Getenv("E2E_ROLE"); role != "" {
		os.Unsetenv("E2E_ROLE")
		play(role)
		return
	}
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "tooltrail-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	os.Unsetenv("TOOLTRAIL_KEYS")
	os.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "settings")) // where keys are pinned
	if tooltrail = os.Getenv("TOOLTRAIL_E2E_BINARY"); tooltrail != "" {
		return m.Run()
	}
	tooltrail = filepath.Join(dir, "tooltrail")
	args := []string{"build", "-o", tooltrail}
	if raced() {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, "../cmd/tooltrail")...)
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the program under test: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// raced says whether the program under test has the race detector, which
// needs several times the memory.
func raced() bool { return os.Getenv("TOOLTRAIL_E2E_RACE") != "" }

// server is the command line of a server that this test binary plays. env(1)
// sets the role, so that the relay in front does not take it for its own.
func server(role string) []string {
	return []string{"env", "E2E_ROLE=" + role, os.Args[0]}
}

// play is the life of a server.
func play(role string) {
	switch role {
	case "cat": // every byte comes back
		io.Copy(struct{ io.Writer }{os.Stdout}, struct{ io.Reader }{os.Stdin})
	case "echo": // every request gets an empty result
		serve(func(out *bufio.Writer, id string, _ []byte) {
			fmt.Fprintf(out, `{"jsonrpc":"2.0","id":%s,"result":{"content":[]}}`+"\n", id)
		})
	case "half": // a tool call gets half a reply
		serve(func(out *bufio.Writer, id string, line []byte) {
			if isCall(line) {
				fmt.Fprintf(out, `{"jsonrpc":"2.0","id":%s,"result":{"cont`, id)
				out.Flush()
				os.Exit(0)
			}
			fmt.Fprintf(out, `{"jsonrpc":"2.0","id":%s,"result":{}}`+"\n", id)
		})
	case "stuck": // a tool call gets no reply, and nothing but SIGKILL ends this
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
		serve(func(out *bufio.Writer, id string, line []byte) {
			if !isCall(line) {
				fmt.Fprintf(out, `{"jsonrpc":"2.0","id":%s,"result":{}}`+"\n", id)
			}
		})
		time.Sleep(time.Minute)
	}
}

// serve answers each line that has an id.
func serve(answer func(out *bufio.Writer, id string, line []byte)) {
	in, out := bufio.NewReaderSize(os.Stdin, 1<<20), bufio.NewWriterSize(os.Stdout, 1<<20)
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			out.Flush()
			return
		}
		if id := idOf(line); id != "" {
			answer(out, id, line)
		}
		if in.Buffered() == 0 {
			out.Flush()
		}
	}
}

func isCall(line []byte) bool { return bytes.Contains(line, []byte(`"method":"tools/call"`)) }

// idOf returns the numeric id of a message that this package wrote.
func idOf(line []byte) string {
	_, rest, ok := bytes.Cut(line, []byte(`"id":`))
	end := bytes.IndexAny(rest, ",}")
	if !ok || end < 0 {
		return ""
	}
	return string(rest[:end])
}

// run returns the command line of a server with the relay in front of it.
func run(home string, server []string, flags ...string) []string {
	args := append([]string{tooltrail, "run", "--trail", home, "--name", "srv"}, flags...)
	return append(append(args, "--"), server...)
}

// output runs a command to its end, within a minute.
func output(t *testing.T, args []string, env ...string) (stdout, stderr string, err error) {
	t.Helper()
	return outputIn(t, "", args, env...)
}

// outputIn is output in a folder.
func outputIn(t *testing.T, dir string, args []string, env ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	cmd.WaitDelay = 5 * time.Second
	var out, talk bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &talk
	err = cmd.Run()
	return out.String(), talk.String(), err
}

// eventually polls a condition.
func eventually(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}

// peakMemory returns the most memory that a process has used so far, in bytes.
func peakMemory(t *testing.T, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kb << 10
}
