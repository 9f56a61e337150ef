//go:build linux

package e2e

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/internal/rig"
)

// endings are the ways in which a client ends a session.
var endings = map[string]func(*session){
	"EOF":  func(s *session) { s.in.Close() },
	"TERM": func(s *session) { s.cmd.Process.Signal(syscall.SIGTERM) },
	"INT":  func(s *session) { s.cmd.Process.Signal(syscall.SIGINT) },
	"HUP":  func(s *session) { s.cmd.Process.Signal(syscall.SIGHUP) },
}

// However a session ends, with npm, sh and node below the relay and a call
// pending, nothing of it is left 2.5 s later, and the call has its one event.
func TestNothingIsLeftOfNpx(t *testing.T) {
	for name, end := range endings {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			s := dial(t, rig.Dir(t), run(home, rig.NpxEverything(t))).initialize()
			s.call(2, "trigger-long-running-operation", `{"duration":60,"steps":2}`)
			s.call(3, "echo", `{"message":"hi"}`)
			s.reply(3)
			if len(s.marked()) < 4 {
				t.Fatalf("%d processes: no tree", len(s.marked()))
			}
			end(s)
			s.over()
			wantPending(t, home, "trigger-long-running-operation", 1)
		})
	}
}

// The same with a server that nothing but SIGKILL ends.
func TestNothingIsLeftOfAStubbornServer(t *testing.T) {
	for name, end := range endings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			s := dial(t, "", run(home, server("stuck"))).initialize().call(2, "wait", "{}")
			s.send(`{"jsonrpc":"2.0","id":3,"method":"ping"}`)
			s.reply(3)
			end(s)
			s.over()
			wantPending(t, home, "wait", 0)
		})
	}
}

// wantPending checks that a call that had no reply has exactly one event,
// which says who went, and that there are so many others.
func wantPending(t *testing.T, home, tool string, others int) {
	t.Helper()
	var codes []string
	all := events(t, home)
	for _, e := range all {
		if e.ToolID == tool {
			codes = append(codes, e.Outcome.Code)
		}
	}
	fits := []string{"CLIENT_GONE", "SERVER_EXITED", "ABANDONED"}
	if len(codes) != 1 || !slices.Contains(fits, codes[0]) || len(all) != 1+others {
		t.Errorf("events %q; want one of %s, with a code of %q, and %d others", names(all), tool, fits, others)
	}
}

func TestRelayKilled(t *testing.T) {
	s := dial(t, rig.Dir(t), run(t.TempDir(), rig.NpxEverything(t))).initialize()
	s.call(2, "trigger-long-running-operation", `{"duration":60,"steps":2}`)
	s.call(3, "echo", `{"message":"hi"}`)
	s.reply(3)
	s.cmd.Process.Kill()
	s.over()
}

func TestServerKilled(t *testing.T) {
	home := t.TempDir()
	s := dial(t, "", run(home, rig.Everything(t))).initialize()
	s.call(2, "trigger-long-running-operation", `{"duration":60,"steps":1}`)
	s.call(3, "echo", `{"message":"hi"}`)
	s.reply(3)
	syscall.Kill(s.find("server-everything"), syscall.SIGKILL)
	s.ends()
	if status := s.over(); !status.Signaled() || status.Signal() != syscall.SIGKILL {
		t.Errorf("the relay ended with %v, want what the server ended with", status)
	}
	wantEvents(t, home, map[string]int{
		"echo success": 1,
		"trigger-long-running-operation execution_failed SERVER_EXITED": 1,
	})
}

func TestHalfAReply(t *testing.T) {
	home := t.TempDir()
	s := dial(t, "", run(home, server("half"))).initialize().call(2, "cut", "{}")
	if got, want := s.ends(), `{"jsonrpc":"2.0","id":2,"result":{"cont`; got != want {
		t.Errorf("the client saw %q, want %q", got, want)
	}
	s.over()
	wantEvents(t, home, map[string]int{"cut execution_failed SERVER_EXITED": 1})
}

func TestExitStatus(t *testing.T) {
	for script, want := range map[string]syscall.WaitStatus{
		"exit 0":       0,
		"exit 1":       1 << 8,
		"exit 42":      42 << 8,
		"kill -9 $$":   syscall.WaitStatus(syscall.SIGKILL),
		"kill -15 $$":  syscall.WaitStatus(syscall.SIGTERM),
		"kill -1 $$":   syscall.WaitStatus(syscall.SIGHUP),
		"cat; exit 17": 17 << 8,
	} {
		s := dial(t, "", run(t.TempDir(), []string{"sh", "-c", script}))
		if strings.HasPrefix(script, "cat") {
			s.in.Close()
		}
		s.ends()
		if got := s.over(); got != want {
			t.Errorf("%s: the relay ended with %#x, want %#x", script, got, want)
		}
	}
}

func TestStandardErrorAndEnvironmentPass(t *testing.T) {
	const script = `printf 'talk \377\n' >&2; echo "$E2E_GREETING"; exit 3`
	out, talk, err := output(t, run(t.TempDir(), []string{"sh", "-c", script}), "E2E_GREETING=hello")
	if out != "hello\n" || talk != "talk \xff\n" || err == nil {
		t.Errorf("out %q, err %q, %v", out, talk, err)
	}
}

func TestNoSuchCommand(t *testing.T) {
	home := t.TempDir()
	out, talk, err := output(t, run(home, []string{"no-such-command-anywhere"}))
	if err == nil || out != "" || !strings.Contains(talk, "no-such-command-anywhere") {
		t.Errorf("out %q, err %q, %v", out, talk, err)
	}
	if all := events(t, home); len(all) != 0 {
		t.Errorf("events %q", names(all))
	}
}

func TestTimeoutIsRecordedOnce(t *testing.T) {
	home := t.TempDir()
	s := dial(t, "", run(home, server("stuck"), "--timeout", "100ms")).initialize().call(2, "wait", "{}")
	eventually(t, 10*time.Second, "the timeout is recorded", func() bool { return len(events(t, home)) == 1 })
	s.in.Close()
	s.over()
	wantEvents(t, home, map[string]int{"wait execution_failed TIMEOUT": 1})
}

// A client that stops reading is to the server what it would be without us: an
// output that nobody reads, which ends cat(1) by SIGPIPE.
func TestClientStopsReading(t *testing.T) {
	s := dial(t, "", run(t.TempDir(), []string{"cat"}))
	s.pipe.Close()
	eventually(t, 10*time.Second, "the session ends", func() bool {
		s.in.Write([]byte("is anybody there?\n"))
		return len(s.marked()) == 0
	})
	if status := s.over(); !status.Signaled() || status.Signal() != syscall.SIGPIPE {
		t.Errorf("the relay ended with %v, want what cat ended with", status)
	}
}

// A server that stops reading and lives on: the client learns of it.
func TestServerStopsReading(t *testing.T) {
	s := dial(t, "", run(t.TempDir(), []string{"sh", "-c", "exec 0<&-; echo up; exec sleep 60"}))
	if line, err := s.out.ReadString('\n'); line != "up\n" {
		t.Fatal(line, err)
	}
	eventually(t, 10*time.Second, "a write is refused", func() bool {
		_, err := s.in.Write([]byte("is anybody there?\n"))
		return err != nil
	})
	s.cmd.Process.Signal(syscall.SIGTERM)
	s.over()
}

// A server that closes its output and lives on: the client sees the end of it,
// and what it writes still arrives.
func TestServerClosesItsOutput(t *testing.T) {
	s := dial(t, "", run(t.TempDir(), []string{"sh", "-c", "exec 1>&-; read line; echo \"got $line\" >&2; exit 5"}))
	if rest := s.ends(); rest != "" {
		t.Errorf("output %q", rest)
	}
	s.send("hello")
	if status := s.over(); status.ExitStatus() != 5 || s.talk() != "got hello\n" {
		t.Errorf("ended with %v, stderr %q", status, s.talk())
	}
}
