package dispatch

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"unsafe"

	"golang.org/x/sys/windows"
)

// A group is the job of a program.
type group struct {
	cmd *exec.Cmd

	mu  sync.Mutex
	job windows.Handle // 0: closed
}

var errBatch = errors.New("a batch file cannot be given arguments safely")

func startGroup(cmd *exec.Cmd) (*group, error) {
	switch strings.ToLower(filepath.Ext(cmd.Path)) {
	case ".bat", ".cmd": // cmd.exe would read the arguments once more (CVE-2024-24576)
		return nil, errBatch
	}
	job, err := newJob()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		_ = windows.CloseHandle(job)
		return nil, err
	}
	// A program that has ended already cannot be admitted, and one that has
	// started another before this keeps that one.
	_ = admit(job, cmd.Process.Pid)
	return &group{cmd: cmd, job: job}, nil
}

// newJob makes a job that ends with its handle.
func newJob() (windows.Handle, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return 0, err
	}
	var info windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	info.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)))
	if err != nil {
		_ = windows.CloseHandle(job)
		return 0, err
	}
	return job, nil
}

func admit(job windows.Handle, pid int) error {
	process, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(pid))
	if err != nil {
		return err
	}
	defer windows.CloseHandle(process)
	return windows.AssignProcessToJobObject(job, process)
}

// wait waits for the program, and ends what it leaves.
func (g *group) wait() error {
	err := g.cmd.Wait()
	g.kill()
	return err
}

// kill ends the program, and every process of the job.
func (g *group) kill() {
	_ = g.cmd.Process.Kill()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.job != 0 {
		_ = windows.CloseHandle(g.job)
		g.job = 0
	}
}

func exitCode(s *os.ProcessState) int { return s.ExitCode() }
