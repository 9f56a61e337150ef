//go:build unix

package proc

import (
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"
)

// A guardian ends the command if we cannot. nil is no guardian.
type guardian struct {
	cmd *exec.Cmd
	// line is the pipe that ends when we do.
	line *os.File
}

// startGuardian starts the guardian of a tree. Without one the command runs
// all the same, so there is no error.
func startGuardian(t *tree, grace time.Duration) *guardian {
	first, ok := lookup(t.root)
	if !hooked.Load() || !ok {
		return nil
	}
	theirs, ours, err := os.Pipe()
	if err != nil {
		return nil
	}
	defer theirs.Close()
	cmd := &exec.Cmd{
		Path: self(),
		Args: []string{guardianName, strconv.Itoa(t.root), strconv.FormatUint(first.start, 10), grace.String()},
		Env:  []string{"GOMAXPROCS=1"},
		Dir:  "/",
		// The other streams are the null device: a guardian must not hold
		// open what our client waits for the end of.
		Stdin:       theirs,
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if cmd.Start() != nil {
		ours.Close()
		return nil
	}
	t.spare(cmd.Process.Pid)
	go func() {
		_ = cmd.Wait()
		t.spare(0)
	}()
	return &guardian{cmd: cmd, line: ours}
}

// dismiss tells the guardian that nothing is left to do.
func (g *guardian) dismiss() {
	if g != nil {
		_, _ = g.line.Write([]byte{1})
		_ = g.line.Close()
	}
}

// guard is the life of a guardian. The arguments are the pid of the command's
// first process, its start time (the pid may be another's by then), and the
// grace.
func guard(args []string) {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGPIPE)
	if len(args) != 3 {
		return
	}
	pid, err1 := strconv.Atoi(args[0])
	start, err2 := strconv.ParseUint(args[1], 10, 64)
	grace, err3 := time.ParseDuration(args[2])
	if err1 != nil || err2 != nil || err3 != nil || pid <= 1 {
		return
	}
	debug.FreeOSMemory() // what the program's packages used to start
	if n, _ := os.Stdin.Read(make([]byte, 1)); n == 1 {
		return // dismissed
	}
	if p, ok := lookup(pid); ok && p.start != start {
		return
	}
	exited := make(chan struct{})
	close(exited) // not our child: nothing to wait for
	(&Child{
		tree:   &tree{root: pid, seen: map[int]process{}},
		grace:  grace,
		exited: exited,
		hurry:  make(chan struct{}),
	}).ladder()
}
