package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tooltrail/tooltrail/internal/proc"
	"github.com/tooltrail/tooltrail/relay"
)

// roleVariable makes this program play a part of the relay's measurement.
const roleVariable = "TOOLTRAIL_BENCH_ROLE"

// play is the life of a process with a role.
func play(role string) error {
	switch role {
	case "server":
		return serveEcho(os.Stdin, os.Stdout)
	case "pipe":
		return pipeBytes()
	}
	return fmt.Errorf("unknown role %q", role)
}

// serveEcho is an MCP server with one tool, which answers with its argument.
func serveEcho(in io.Reader, out io.Writer) error {
	lines := bufio.NewReaderSize(in, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return nil
		}
		var r struct {
			ID     json.RawMessage `json:"id"`
			Params struct {
				Arguments struct {
					Message string `json:"message"`
				} `json:"arguments"`
			} `json:"params"`
		}
		if err := json.Unmarshal(line, &r); err != nil {
			return err
		}
		content := []any{map[string]any{"type": "text", "text": r.Params.Arguments.Message}}
		reply, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": r.ID, "result": map[string]any{"content": content}})
		if err != nil {
			return err
		}
		if _, err := out.Write(append(reply, '\n')); err != nil {
			return err
		}
	}
}

// pipeBytes carries bytes to the server and back as the relay does, and looks
// at none of them.
func pipeBytes() error {
	child, err := proc.Start(&proc.Options{Args: serverCommand()})
	if err != nil {
		return err
	}
	unseen := func([]byte) {}
	go func() {
		_ = relay.Pump(child.Stdin(), os.Stdin, unseen, nil)
		child.Hangup()
	}()
	err = relay.Pump(os.Stdout, child.Stdout(), unseen, nil)
	child.Wait()
	return err
}

// serverCommand starts this program as the server. env(1) sets the role, so
// that it is not inherited.
func serverCommand() []string {
	return []string{"env", roleVariable + "=server", os.Args[0]}
}

// measureRelay calls an echo tool directly, through a byte pipe, and through
// `tooltrail run`, in interleaved rounds.
func measureRelay(c *config) error {
	program := filepath.Join(c.dir, "tooltrail")
	build := exec.Command("go", "-C", "..", "build", "-o", program, "./cmd/tooltrail")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	ways := []struct {
		name    string
		command []string
	}{
		{"direct", serverCommand()},
		{"byte pipe", []string{"env", roleVariable + "=pipe", os.Args[0]}},
		{"tooltrail run", append([]string{"env", "XDG_CONFIG_HOME=" + filepath.Join(c.dir, "settings"), program, "run", "--trail", filepath.Join(c.dir, "home"), "--name", "echo", "--"}, serverCommand()...)},
	}
	heading("One call of a stdio server, µs (median of interleaved rounds)", "", "100 B, p50", "p99", "64 KiB, p50", "p99")
	results := make([][]string, len(ways))
	for _, size := range []int{100, 64 << 10} {
		times := make([][2][]time.Duration, len(ways))
		for range 7 {
			for i, way := range ways {
				p50, p99, err := callEcho(way.command, size, c.times(200_000/(100+size/50)))
				if err != nil {
					return fmt.Errorf("%s: %w", way.name, err)
				}
				times[i][0], times[i][1] = append(times[i][0], p50), append(times[i][1], p99)
			}
		}
		for i := range ways {
			results[i] = append(results[i], micros(times[i][0], 0.5), micros(times[i][1], 0.5))
		}
	}
	for i, way := range ways {
		row(slices.Concat([]string{way.name}, results[i])...)
	}
	return nil
}

// callEcho starts a server and returns what n calls of it take.
func callEcho(command []string, size, n int) (p50, p99 time.Duration, err error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return 0, 0, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	times, err := converse(in, bufio.NewReaderSize(out, 1<<20), strings.Repeat("x", size), n)
	in.Close()
	if waitErr := cmd.Wait(); err == nil {
		err = waitErr
	}
	if err != nil {
		return 0, 0, err
	}
	return quantile(times, 0.5), quantile(times, 0.99), nil
}

func converse(in io.Writer, out *bufio.Reader, message string, n int) (times []time.Duration, err error) {
	var line bytes.Buffer
	for id := range n + 20 {
		line.Reset()
		fmt.Fprintf(&line, `{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"echo","arguments":{"message":"%s"}}}`+"\n", id, message)
		start := time.Now()
		if _, err := in.Write(line.Bytes()); err != nil {
			return nil, err
		}
		if _, err := out.ReadBytes('\n'); err != nil {
			return nil, err
		}
		if id >= 20 { // the first ones pay for the start
			times = append(times, time.Since(start))
		}
	}
	return times, nil
}
