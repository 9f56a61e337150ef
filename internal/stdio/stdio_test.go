//go:build unix

package stdio

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/relay"
)

// A process runs one server in its life, so the test binary plays the relay:
// STDIO_EVENTS names the file that it writes the events to.
func TestMain(m *testing.M) {
	if path := os.Getenv("STDIO_EVENTS"); path != "" {
		playRelay(path)
	}
	os.Exit(m.Run())
}

func playRelay(path string) {
	events, err := os.Create(path)
	if err != nil {
		panic(err)
	}
	status, err := Run(&Options{
		Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Observer: relay.New(&relay.Options{Sink: ledger{events}}),
	})
	if err != nil {
		panic(err)
	}
	status.Exit()
}

// A ledger has a line for each event.
type ledger struct{ f *os.File }

func (l ledger) OnCall(ev *audit.CallEvent) {
	fmt.Fprintln(l.f, ev.ToolID, ev.Outcome.Kind, ev.Outcome.Code)
}

// A running relay has a socket for its client and a shell for its server.
type running struct {
	t      *testing.T
	client *net.TCPConn
	cmd    *exec.Cmd
	out    *bufio.Reader
	events string
}

func start(t *testing.T, script string) *running {
	t.Helper()
	r := &running{t: t, cmd: exec.Command(os.Args[0], "sh", "-c", script), events: filepath.Join(t.TempDir(), "events")}
	r.cmd.Env = append(os.Environ(), "STDIO_EVENTS="+r.events, "GORACE=atexit_sleep_ms=0")
	r.cmd.Stderr = os.Stderr
	client, theirs := connection(t)
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	r.client, r.cmd.Stdin, r.out = client, theirs, bufio.NewReader(out)
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	limit := time.AfterFunc(20*time.Second, func() { r.cmd.Process.Kill() })
	t.Cleanup(func() { limit.Stop(); r.cmd.Process.Kill(); r.cmd.Wait(); client.Close() })
	return r
}

// connection returns the two ends of a TCP connection, which can end in an
// error where a pipe ends in an EOF.
func connection(t *testing.T) (*net.TCPConn, *os.File) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	file, err := conn.(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	return client.(*net.TCPConn), file
}

func (r *running) call() {
	r.t.Helper()
	if _, err := r.client.Write([]byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}` + "\n")); err != nil {
		r.t.Fatal(err)
	}
}

// line waits for a line of the server.
func (r *running) line(want string) {
	r.t.Helper()
	if line, err := r.out.ReadString('\n'); line != want+"\n" {
		r.t.Fatalf("the server said %q, %v; want %q", line, err, want)
	}
}

// TestEndings checks what a call that has no reply is given as its outcome, and
// how the relay ends.
func TestEndings(t *testing.T) {
	const patient = "read line; echo got it; cat >/dev/null; exit 3"
	for name, c := range map[string]struct {
		script string
		ends   func(r *running)
		code   string
		status syscall.WaitStatus
	}{
		"the client says goodbye":    {patient, func(r *running) { r.client.CloseWrite() }, audit.CodeClientGone, 3 << 8},
		"the client's end breaks":    {patient, func(r *running) { r.client.SetLinger(0); r.client.Close() }, audit.CodeClientGone, 3 << 8},
		"we are told to stop":        {patient, func(r *running) { r.cmd.Process.Signal(syscall.SIGTERM) }, audit.CodeAbandoned, syscall.WaitStatus(syscall.SIGTERM)},
		"the server exits":           {"read line; echo got it; exit 4", func(*running) {}, audit.CodeServerExited, 4 << 8},
		"the server dies":            {"read line; echo got it; kill -9 $$", func(*running) {}, audit.CodeServerExited, syscall.WaitStatus(syscall.SIGKILL)},
		"the server stops reading":   {"read line; exec 0<&-; echo got it; exec sleep 60", (*running).call, audit.CodeServerExited, syscall.WaitStatus(syscall.SIGTERM)},
		"the server ends its output": {"read line; exec 1>&2; sleep 1; exit 5", func(*running) {}, audit.CodeServerExited, 5 << 8},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t, c.script)
			r.call()
			if strings.Contains(c.script, "got it") {
				r.line("got it")
			}
			c.ends(r)
			if rest, err := r.out.ReadString(0); rest != "" {
				t.Errorf("the client saw %q, %v", rest, err)
			}
			r.cmd.Wait()
			if status := r.cmd.ProcessState.Sys().(syscall.WaitStatus); status != c.status {
				t.Errorf("the relay ended with %#x, want %#x", status, c.status)
			}
			for _, event := range r.recorded() {
				if want := "a execution_failed " + c.code; event != want {
					t.Errorf("recorded %q, want %q", event, want)
				}
			}
		})
	}
}

// recorded returns the events, of which there must be some.
func (r *running) recorded() []string {
	r.t.Helper()
	text, err := os.ReadFile(r.events)
	if err != nil || len(text) == 0 {
		r.t.Fatalf("no event: %v", err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

func TestNoSuchCommand(t *testing.T) {
	if _, err := Run(&Options{Args: []string{"no-such-command-anywhere"}}); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("%v, want one that says it is not there", err)
	}
}
