//go:build linux

package proc

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// endings are the ways in which a client ends a server.
var endings = map[string]func(*stage){
	"EOF":  func(s *stage) { s.in.Close() },
	"TERM": func(s *stage) { s.signal(syscall.SIGTERM) },
	"INT":  func(s *stage) { s.signal(syscall.SIGINT) },
	"HUP":  func(s *stage) { s.signal(syscall.SIGHUP) },
	"QUIT": func(s *stage) { s.signal(syscall.SIGQUIT) },
}

// trees are commands of several processes; the number is how many.
var trees = map[string]struct {
	n     int
	flags []string
}{
	"three deep":           {3, []string{"-child", "-child -exit/0"}},
	"stubborn":             {1, []string{"-stubborn"}},
	"stubborn child":       {2, []string{"-child", "-stubborn"}},
	"own session":          {2, []string{"-child", "-setsid -stubborn"}},
	"orphan":               {3, []string{"-child", "-leave -child -stubborn"}},
	"orphan, own session":  {3, []string{"-child", "-leave -child -setsid/-stubborn"}},
	"closed output":        {1, []string{"-closeout", "-stubborn"}},
	"closed input":         {1, []string{"-closein"}},
	"stubborn all the way": {3, []string{"-stubborn", "-child", "-stubborn -child -setsid/-stubborn"}},
}

func TestNothingSurvives(t *testing.T) {
	for name, tree := range trees {
		for how, end := range endings {
			t.Run(name+"/"+how, func(t *testing.T) {
				t.Parallel()
				s := newStage(t, tree.flags...).ready(tree.n)
				end(s)
				s.nothingLeft()
			})
		}
	}
}

// The same with the default grace, which must leave the limit some room.
func TestNothingSurvivesByDefault(t *testing.T) {
	for how, end := range endings {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			s := runStage(t, 0, "server", []string{os.Args[0], "-stubborn", "-child", "-setsid -stubborn"}).ready(2)
			end(s)
			s.nothingLeft()
		})
	}
}

func TestNothingSurvivesSIGKILL(t *testing.T) {
	for name, tree := range trees {
		if name == "own session" || name == "orphan, own session" {
			continue // out of the guardian's sight, as documented at Main
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, tree.flags...).ready(tree.n)
			s.eventually(5*time.Second, "a guardian watches", func() bool { return s.guardian() != 0 })
			guardian := s.guardian()
			s.signal(syscall.SIGKILL).nothingLeft()
			s.eventually(5*time.Second, "the guardian ends", func() bool { p, ok := readStat(guardian); return !ok || p.zombie })
		})
	}
}

// guardian returns the pid of the relay's guardian, or 0.
func (s *stage) guardian() int {
	for pid, p := range processes() {
		line, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
		if p.ppid == s.cmd.Process.Pid && strings.HasPrefix(string(line), guardianName) {
			return pid
		}
	}
	return 0
}

func TestGuardianLeavesWithTheRelay(t *testing.T) {
	s := patientStage(t).ready(1)
	s.eventually(5*time.Second, "a guardian watches", func() bool { return s.guardian() != 0 })
	guardian := s.guardian()
	s.in.Close()
	s.wantStatus(s.nothingLeft(), ExitStatus{})
	s.eventually(5*time.Second, "the guardian ends", func() bool { p, ok := readStat(guardian); return !ok || p.zombie })
}

func TestGuardianKilled(t *testing.T) {
	s := patientStage(t).ready(1)
	s.eventually(5*time.Second, "a guardian watches", func() bool { return s.guardian() != 0 })
	guardian := s.guardian()
	syscall.Kill(guardian, syscall.SIGKILL)
	s.eventually(5*time.Second, "the guardian is reaped", func() bool { _, ok := readStat(guardian); return !ok })
	s.in.Close()
	s.wantStatus(s.nothingLeft(), ExitStatus{})
}

func TestExitStatusIsTheCommands(t *testing.T) {
	for _, code := range []int{0, 1, 2, 42, 255} {
		s := patientStage(t, "-exit", strconv.Itoa(code)).ready(1)
		s.in.Close()
		s.wantStatus(s.nothingLeft(), ExitStatus{Code: code})
	}
	for _, sig := range []syscall.Signal{
		syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGILL, syscall.SIGABRT, syscall.SIGKILL,
		syscall.SIGSEGV, syscall.SIGUSR1, syscall.SIGPIPE, syscall.SIGTERM,
	} {
		s := newStage(t, "-die", strconv.Itoa(int(sig)))
		s.wantStatus(s.nothingLeft(), ExitStatus{Signal: sig})
	}
}

func TestSignalledRelayEndsByThatSignal(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		s := runStage(t, DefaultGrace, "", []string{"sleep", "60"})
		s.eventually(5*time.Second, "sleep runs", func() bool { return strings.Contains(s.describe(), "[") && s.runs("sleep") })
		s.signal(sig)
		s.wantStatus(s.nothingLeft(), ExitStatus{Signal: sig})
	}
}

// runs says whether a process of the stage has this name.
func (s *stage) runs(name string) bool {
	for _, pid := range s.alive() {
		comm, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
		if strings.TrimSpace(string(comm)) == name {
			return true
		}
	}
	return false
}

func TestOtherSignalsArePassedOn(t *testing.T) {
	s := patientStage(t, "-report").ready(1)
	lines := bufio.NewScanner(s.out)
	for _, sig := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH, syscall.SIGCONT} {
		s.signal(sig)
		if !lines.Scan() || lines.Text() != sig.String() {
			t.Fatalf("the command got %q, want %q", lines.Text(), sig.String())
		}
	}
	s.in.Close()
	s.wantStatus(s.nothingLeft(), ExitStatus{})
}

func TestStopAndContinue(t *testing.T) {
	s := patientStage(t, "-child", "-exit 0").ready(2)
	s.signal(syscall.SIGTSTP)
	s.eventually(5*time.Second, "all are stopped", func() bool { return s.stopped() == 3 })
	s.signal(syscall.SIGCONT)
	s.eventually(5*time.Second, "none is stopped", func() bool { return s.stopped() == 0 })
	s.in.Close()
	s.wantStatus(s.nothingLeft(), ExitStatus{})
}

func (s *stage) stopped() (n int) {
	for _, pid := range s.alive() {
		line, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if _, rest, ok := strings.Cut(string(line), ") "); ok && rest[0] == 'T' {
			n++
		}
	}
	return n
}

func TestStoppedCommandStillEnds(t *testing.T) {
	s := newStage(t).ready(1)
	for _, pid := range s.alive() {
		if pid != s.cmd.Process.Pid {
			syscall.Kill(pid, syscall.SIGSTOP)
		}
	}
	s.in.Close()
	if status := s.nothingLeft(); status.Signal == syscall.SIGKILL {
		t.Errorf("the relay ended with %v: the command was not woken", status)
	}
}

// A command that exits and leaves something behind does not keep us.
func TestFirstProcessExitsAlone(t *testing.T) {
	for name, flags := range map[string][]string{
		"a child holds the output": {"-leave", "-exit", "7", "-child", "-stubborn"},
		"a daemon":                 {"-leave", "-exit", "7", "-child", "-leave -child -setsid/-stubborn"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, flags...).ready(2)
			s.wantStatus(s.nothingLeft(), ExitStatus{Code: 7})
		})
	}
}

func TestClosedOutputIsNotTheEnd(t *testing.T) {
	s := patientStage(t, "-closeout", "-exit", "3").ready(1)
	if _, err := io.ReadAll(s.out); err != nil { // ends: the relay closed its own
		t.Fatal(err)
	}
	if _, err := s.in.Write([]byte("still there\n")); err != nil {
		t.Fatal(err)
	}
	if len(s.alive()) != 2 {
		t.Fatalf("want relay and server alive, have %s", s.describe())
	}
	s.in.Close()
	s.nothingLeft()
}

// A client that is gone does not end us before the command.
func TestClientGone(t *testing.T) {
	s := runStage(t, DefaultGrace, "", []string{"sh", "-c", "trap '' PIPE; cat 2>/dev/null; exit 9"})
	s.out.Close()
	s.eventually(10*time.Second, "cat learns of it", func() bool {
		s.in.Write([]byte("is anybody there?\n"))
		return len(s.alive()) == 0
	})
	s.wantStatus(s.nothingLeft(), ExitStatus{Code: 9})
}

// Orphans are reaped while the command lives, not only at its end.
func TestOrphansAreReaped(t *testing.T) {
	s := runStage(t, DefaultGrace, "", []string{"sh", "-c", "for i in 1 2 3 4 5; do (sleep 0.01 & ) ; done; echo ok; read x"})
	if line, err := bufio.NewReader(s.out).ReadString('\n'); line != "ok\n" {
		t.Fatal(line, err)
	}
	s.eventually(5*time.Second, "no zombie is left", func() bool {
		for _, p := range processes() {
			if p.ppid == s.cmd.Process.Pid && (p.zombie || !alive(p.pid)) {
				return false
			}
		}
		return !s.runs("sleep")
	})
	s.in.Close()
	s.nothingLeft()
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

func TestNode(t *testing.T) {
	if _, err := exec.LookPath("npm"); err != nil {
		t.Skip("npm is not installed")
	}
	s := runStage(t, DefaultGrace, "", []string{"npm", "exec", "--offline", "-c", `node -e "process.on('SIGTERM',()=>{});console.log('up');setInterval(()=>{},1e3)"`})
	if line, err := bufio.NewReader(s.out).ReadString('\n'); line != "up\n" {
		t.Fatalf("%q %v; stderr: %s", line, err, s.stderr.String())
	}
	s.signal(syscall.SIGTERM).nothingLeft()
}

func TestCannotStart(t *testing.T) {
	for _, c := range []struct {
		args []string
		want error
	}{
		{[]string{"no-such-command-anywhere"}, exec.ErrNotFound},
		{[]string{"/no/such/file"}, os.ErrNotExist},
		{[]string{t.TempDir()}, os.ErrPermission},
	} {
		_, err := Start(&Options{Args: c.args})
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.args[0]) {
			t.Errorf("Start(%q) = %v, want %v", c.args, err, c.want)
		}
	}
	if _, err := Start(&Options{}); err == nil {
		t.Error("Start of nothing: no error")
	}
}

// Not dedicated: other children of this process are nobody's business.
func TestSharedProcess(t *testing.T) {
	bystander := exec.Command("sleep", "60")
	if err := bystander.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { bystander.Process.Kill(); bystander.Wait() }()
	c, err := Start(&Options{Args: []string{"sh", "-c", "trap '' TERM; setsid sleep 61 & echo up; while :; do sleep 0.1; done"}, Grace: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(c.Stdout()).ReadString('\n'); line != "up\n" {
		t.Fatal(line, err)
	}
	if got, want := c.End(t.Context()), (ExitStatus{Signal: syscall.SIGKILL}); got != want {
		t.Errorf("ended with %v, want %v", got, want)
	}
	if !alive(bystander.Process.Pid) {
		t.Error("the bystander was killed")
	}
	if err := c.Signal(syscall.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("Signal afterwards: %v", err)
	}
	if rest, err := io.ReadAll(c.Stdout()); len(rest) != 0 || err != nil {
		t.Errorf("output afterwards: %q, %v", rest, err)
	}
}

func TestEndWithoutPatience(t *testing.T) {
	c, err := Start(&Options{Args: []string{"sh", "-c", "trap '' TERM; echo up; while :; do sleep 1; done"}, Grace: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	bufio.NewReader(c.Stdout()).ReadString('\n')
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if got, want := c.End(ctx), (ExitStatus{Signal: syscall.SIGKILL}); got != want {
		t.Errorf("ended with %v, want %v", got, want)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

// A blocked write ends with the command, and large messages get through.
func TestBlockingPipes(t *testing.T) {
	c, err := Start(&Options{Args: []string{"sleep", "60"}, Grace: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	wrote := make(chan error, 1)
	go func() {
		_, err := c.Stdin().Write(make([]byte, 8<<20))
		wrote <- err
	}()
	c.End(t.Context())
	select {
	case err := <-wrote:
		if !errors.Is(err, syscall.EPIPE) && !errors.Is(err, os.ErrClosed) {
			t.Errorf("the write ended with %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("the write is still blocked")
	}
}

// The descriptors that we got are shared with others: their mode stays.
func TestInheritedDescriptorsKeepTheirMode(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	fd := w.Fd()
	c, err := Start(&Options{Args: []string{"sh", "-c", "echo talk >&2"}, Stderr: w})
	if err != nil {
		t.Fatal(err)
	}
	c.Wait()
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_GETFL, 0)
	if errno != 0 || flags&syscall.O_NONBLOCK != 0 {
		t.Errorf("flags %#x, %v", flags, errno)
	}
	for _, f := range []*os.File{c.Stdin(), c.Stdout()} {
		if f.SetDeadline(time.Now()) == nil {
			t.Error("a pipe is pollable")
		}
	}
}

// The command can write to a terminal that stops background writers.
func TestTerminal(t *testing.T) {
	if _, err := exec.LookPath("script"); err != nil {
		t.Skip("script(1) is not installed")
	}
	out := t.TempDir() + "/out"
	server := "echo from-the-server >&2; stty -echo 2>/dev/null </dev/tty; echo stty $? >&2; read x </dev/tty; echo read $? >&2"
	cmd := exec.Command("script", "-qec", `stty tostop; "$PROC_SELF" sh -c "$PROC_SERVER" </dev/null`, out)
	cmd.Env = append(os.Environ(), "PROC_ROLE=relay", "PROC_SELF="+os.Args[0], "PROC_SERVER="+server)
	cmd.WaitDelay = 10 * time.Second
	got, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(got), "from-the-server") || !strings.Contains(string(got), "stty 0") {
		t.Errorf("%v: %q", err, got)
	}
	if !strings.Contains(string(got), "read ") || strings.Contains(string(got), "read 0") {
		t.Errorf("reading the terminal: %q", got)
	}
}
