//go:build linux

package e2e

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// bulk is more than the pipes and buffers on the way to the client absorb.
const bulk = 2 << 20

// replyOf is a shell server that answers one call with so many bytes and does
// what then says.
func replyOf(size int, then string) []string {
	return []string{"sh", "-c", fmt.Sprintf(`read line
printf '{"jsonrpc":"2.0","id":2,"result":{"content":[{"type":"text","text":"'
head -c %d /dev/zero | tr '\0' a
printf '"}]}}\n'
%s`, size, then)}
}

// A client that reads late gets every byte of a server that has ended, and
// its call the outcome that the reply says.
func TestSlowReaderGetsEveryByte(t *testing.T) {
	for name, c := range map[string]struct {
		size int
		eof  bool
	}{
		"within the pipes":               {150_000, false},
		"within the pipes, after an EOF": {150_000, true}, // the server has written all before the ladder
		"beyond the pipes":               {bulk, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			s := dial(t, "", run(home, replyOf(c.size, "exit 6"))).call(2, "big", "{}")
			if c.eof {
				s.in.Close()
			}
			time.Sleep(3 * time.Second) // the client's doing: it is slow
			if got := s.ends(); len(got) < c.size || !strings.HasSuffix(got, "\"}]}}\n") {
				t.Errorf("the client saw %d bytes, want more than %d", len(got), c.size)
			}
			if status := s.over(); status.ExitStatus() != 6 {
				t.Errorf("the relay ended with %#x, want exit status 6", status)
			}
			wantEvents(t, home, map[string]int{"big success": 1})
		})
	}
}

// A client that does not read can still end the relay by a signal, whether the
// server still writes or has ended.
func TestStopWithAClientThatDoesNotRead(t *testing.T) {
	for name, size := range map[string]int{"the server writes": bulk, "the server has ended": 150_000} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			s := dial(t, "", run(home, replyOf(size, "exit 0"))).call(2, "big", "{}")
			if size == bulk {
				eventually(t, 10*time.Second, "the server writes", func() bool { return s.find("tr\x00") != 0 })
			} else {
				eventually(t, 10*time.Second, "the server has ended", func() bool { return s.find("read line") == 0 })
				time.Sleep(2 * time.Second) // longer than an escaped process would be waited for
			}
			if !slices.Contains(s.marked(), s.cmd.Process.Pid) {
				t.Error("the relay did not wait for its client")
			}
			s.cmd.Process.Signal(syscall.SIGTERM)
			s.over()
			wantPending(t, home, "big", 0)
		})
	}
}

// What nohup(1) sets up stays: an ignored signal is ignored by both sides.
func TestNohup(t *testing.T) {
	for name, sig := range map[string]syscall.Signal{"HUP": syscall.SIGHUP, "INT": syscall.SIGINT} {
		t.Run(name, func(t *testing.T) {
			args := run(t.TempDir(), []string{"sh", "-c", "echo up; read line; exit 5"})
			s := dial(t, "", append([]string{"sh", "-c", "trap '' " + name + `; exec "$@"`, "sh"}, args...))
			if line, err := s.out.ReadString('\n'); line != "up\n" {
				t.Fatal(line, err)
			}
			for _, pid := range []int{s.cmd.Process.Pid, s.find("sh\x00-c\x00echo up")} {
				if !ignores(t, pid, sig) {
					t.Errorf("process %d does not ignore the signal", pid)
				}
			}
			s.cmd.Process.Signal(sig)
			s.send("end")
			s.ends()
			if status := s.over(); status.ExitStatus() != 5 {
				t.Errorf("the relay ended with %#x, want exit status 5", status)
			}
		})
	}
}

// ignores says whether a process ignores a signal.
func ignores(t *testing.T, pid int, sig syscall.Signal) bool {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "SigIgn:")
	mask, err := strconv.ParseUint(strings.Fields(rest)[0], 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	return mask>>(sig-1)&1 == 1
}

// A client that closed its reading end does not end the relay by SIGPIPE: the
// server has its own end, and the call its event.
func TestRelayOutlivesItsReader(t *testing.T) {
	home := t.TempDir()
	s := dial(t, "", run(home, []string{"sh", "-c", `trap '' PIPE; read line; echo "$line"; cat >/dev/null; exit 7`}))
	s.pipe.Close()
	s.call(2, "a", "{}")
	s.in.Close()
	if status := s.over(); status.ExitStatus() != 7 {
		t.Errorf("the relay ended with %#x, want exit status 7; stderr: %s", status, s.talk())
	}
	wantEvents(t, home, map[string]int{"a execution_failed CLIENT_GONE": 1})
}

// Somebody else who holds the output of a server that is gone cannot keep the
// relay.
func TestOutputHeldByAStranger(t *testing.T) {
	s := dial(t, "", run(t.TempDir(), []string{"sh", "-c", "echo up; read line; exit 7"}))
	if line, err := s.out.ReadString('\n'); line != "up\n" {
		t.Fatal(line, err)
	}
	held, err := os.OpenFile(fmt.Sprintf("/proc/%d/fd/1", s.find("sh\x00-c\x00echo up")), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	s.send("end")
	if status := s.over(); status.ExitStatus() != 7 {
		t.Errorf("the relay ended with %#x, want exit status 7", status)
	}
}
