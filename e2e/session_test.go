//go:build linux

package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A session is a client without a library: it writes and reads lines.
type session struct {
	t    *testing.T
	cmd  *exec.Cmd
	mark string
	in   io.WriteCloser
	out  *bufio.Reader
	pipe io.Closer // what out reads

	mu     sync.Mutex
	stderr bytes.Buffer // guarded by mu
}

// Write takes the command's standard error.
func (s *session) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stderr.Write(p)
}

func (s *session) talk() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stderr.String()
}

// dial starts a command in dir ("" is here).
func dial(t *testing.T, dir string, args []string) *session {
	t.Helper()
	s := &session{t: t, cmd: exec.Command(args[0], args[1:]...)}
	s.mark = fmt.Sprintf("E2E_MARK=%d.%d", os.Getpid(), time.Now().UnixNano())
	s.cmd.Dir = dir
	s.cmd.Env = append(os.Environ(), s.mark)
	s.cmd.Stderr = s
	s.cmd.WaitDelay = 5 * time.Second
	in, err1 := s.cmd.StdinPipe()
	out, err2 := s.cmd.StdoutPipe()
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.in, s.out, s.pipe = in, bufio.NewReaderSize(out, 1<<20), out
	limit := time.AfterFunc(2*time.Minute, s.killAll) // nothing here blocks for ever
	t.Cleanup(func() {
		limit.Stop()
		s.killAll()
		s.cmd.Wait()
	})
	return s
}

// send writes one line.
func (s *session) send(format string, args ...any) {
	s.t.Helper()
	if _, err := fmt.Fprintf(s.in, format+"\n", args...); err != nil {
		s.t.Fatalf("%v; stderr: %s", err, s.talk())
	}
}

// reply reads up to the reply to a request.
func (s *session) reply(id int) string {
	s.t.Helper()
	for {
		line, err := s.out.ReadString('\n')
		if err != nil {
			s.t.Fatalf("no reply to %d: %v, %q; stderr: %s", id, err, line, s.talk())
		}
		if strings.Contains(line, fmt.Sprintf(`"id":%d`, id)) && !strings.Contains(line, `"method"`) {
			return line
		}
	}
}

// ends reads what is left of the output, to its end.
func (s *session) ends() string {
	s.t.Helper()
	rest, err := io.ReadAll(s.out)
	if err != nil {
		s.t.Fatalf("%v; stderr: %s", err, s.talk())
	}
	return string(rest)
}

// initialize opens an MCP session.
func (s *session) initialize() *session {
	s.t.Helper()
	s.send(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"e2e","version":"1"}}}`)
	s.reply(1)
	s.send(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	return s
}

// call begins a tool call.
func (s *session) call(id int, tool, args string) *session {
	s.t.Helper()
	s.send(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, id, tool, args)
	return s
}

// marked returns the processes of this session that carry its mark.
func (s *session) marked() (pids []int) {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		env, _ := os.ReadFile(dir + "/environ")
		if bytes.Contains(env, []byte(s.mark)) {
			var pid int
			fmt.Sscan(filepath.Base(dir), &pid)
			pids = append(pids, pid)
		}
	}
	return pids
}

// find returns the process of this session whose command line holds a text,
// the relay apart.
func (s *session) find(text string) (found int) {
	for _, pid := range s.marked() {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if pid != s.cmd.Process.Pid && bytes.Contains(line, []byte(text)) {
			found = pid
		}
	}
	return found
}

func (s *session) killAll() {
	for _, pid := range s.marked() {
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

// survivorLimit is how long anything may outlive the session's end.
const survivorLimit = 2500 * time.Millisecond

// over waits until nothing of the session is left, and returns how its first
// process ended.
func (s *session) over() syscall.WaitStatus {
	s.t.Helper()
	begin := time.Now()
	for len(s.marked()) > 0 {
		if time.Since(begin) > survivorLimit {
			var all []string
			for _, pid := range s.marked() {
				line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
				all = append(all, string(bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
			}
			s.t.Fatalf("alive after %v: %s; stderr: %s", survivorLimit, strings.Join(all, "; "), s.talk())
		}
		time.Sleep(5 * time.Millisecond)
	}
	s.cmd.Wait()
	return s.cmd.ProcessState.Sys().(syscall.WaitStatus)
}
