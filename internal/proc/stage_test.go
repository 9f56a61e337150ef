//go:build linux

package proc

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A stage is one relay with one command, and all processes of the test.
type stage struct {
	t      *testing.T
	mark   string
	dir    string
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    io.ReadCloser
	stderr transcript
}

// A transcript is what was written so far.
type transcript struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (w *transcript) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.Write(p)
}

func (w *transcript) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

// newStage starts a relay in front of a command. No command is a server with
// these flags.
func newStage(t *testing.T, flags ...string) *stage {
	return runStage(t, 100*time.Millisecond, "server", append([]string{os.Args[0]}, flags...))
}

// patientStage is newStage for a command that is to end by itself.
func patientStage(t *testing.T, flags ...string) *stage {
	return runStage(t, DefaultGrace, "server", append([]string{os.Args[0]}, flags...))
}

// runStage starts a relay with this grace, and a command that plays this role.
func runStage(t *testing.T, grace time.Duration, role string, args []string) *stage {
	t.Helper()
	s := &stage{t: t, mark: fmt.Sprintf("PROC_MARK=%s.%d.%d", t.Name(), os.Getpid(), time.Now().UnixNano()), dir: t.TempDir()}
	// The relay drops its own role; env(1) gives the server its.
	s.cmd = exec.Command(os.Args[0], append([]string{"env", "PROC_ROLE=" + role}, args...)...)
	s.cmd.Env = append(os.Environ(), s.mark, "PROC_DIR="+s.dir, "PROC_ROLE=relay", "PROC_GRACE="+grace.String(),
		"GORACE=atexit_sleep_ms=0") // a race-enabled program takes a second to exit otherwise
	s.cmd.Stderr = &s.stderr
	var err1, err2 error
	s.in, err1 = s.cmd.StdinPipe()
	s.out, err2 = s.cmd.StdoutPipe()
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, pid := range s.alive() {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		s.cmd.Wait()
	})
	return s
}

// ready waits until n servers run.
func (s *stage) ready(n int) *stage {
	s.t.Helper()
	s.eventually(10*time.Second, fmt.Sprintf("%d servers run", n), func() bool {
		files, _ := os.ReadDir(s.dir)
		return len(files) >= n
	})
	return s
}

// eventually polls a condition.
func (s *stage) eventually(limit time.Duration, what string, ok func() bool) {
	s.t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("not within %v: %s; alive: %s; stderr: %s", limit, what, s.describe(), s.stderr.String())
		}
	}
}

// alive lists the processes that carry the mark, the relay and its guardian
// among them; zombies have no environment and so do not count.
func (s *stage) alive() (pids []int) {
	for pid := range processes() {
		env, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if bytes.Contains(env, []byte(s.mark)) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func (s *stage) describe() string {
	var b strings.Builder
	for _, pid := range s.alive() {
		cmd, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		fmt.Fprintf(&b, "[%d %s]", pid, bytes.ReplaceAll(cmd, []byte{0}, []byte{' '}))
	}
	return b.String()
}

// survivorLimit is the requirement; see the project's reference on MCP.
const survivorLimit = 2500 * time.Millisecond

// nothingLeft waits until no process of the stage is left and returns how the
// relay ended.
func (s *stage) nothingLeft() ExitStatus {
	s.t.Helper()
	s.eventually(survivorLimit, "nothing is left", func() bool { return len(s.alive()) == 0 })
	s.cmd.Wait()
	return statusOf(s.cmd.ProcessState)
}

// signal sends a signal to the relay alone.
func (s *stage) signal(sig syscall.Signal) *stage {
	s.cmd.Process.Signal(sig)
	return s
}

func (s *stage) wantStatus(got, want ExitStatus) {
	s.t.Helper()
	if got != want {
		s.t.Errorf("the relay ended with %v, want %v; stderr: %s", got, want, s.stderr.String())
	}
}
