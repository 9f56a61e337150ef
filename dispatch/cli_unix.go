//go:build unix

package dispatch

import (
	"os"
	"os/exec"
	"sync"
	"syscall"
)

// A group is the process group of a program.
type group struct {
	cmd *exec.Cmd

	mu    sync.Mutex
	ended bool // the leader was reaped, so its id may be another's
}

func startGroup(cmd *exec.Cmd) (*group, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &group{cmd: cmd}, nil
}

// wait waits for the leader, and kills what it leaves. What it leaves would
// keep the output open, so that comes first, where the system lets us see an
// end without reaping: until then the group's id is not given to another.
func (g *group) wait() error {
	if awaitExit(g.cmd.Process.Pid) {
		g.kill()
		g.mu.Lock()
		g.ended = true
		g.mu.Unlock()
		return g.cmd.Wait()
	}
	err := g.cmd.Wait()
	g.kill()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended = true
	return err
}

// kill kills every process of the group.
func (g *group) kill() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.ended {
		_ = syscall.Kill(-g.cmd.Process.Pid, syscall.SIGKILL)
	}
}

func exitCode(s *os.ProcessState) int {
	if ws, ok := s.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return s.ExitCode()
}
