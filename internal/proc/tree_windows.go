package proc

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// A tree is a job object, which every descendant of the first process is born
// into. It ends with its last handle, which we hold: if we are killed, the
// command is killed too.
type tree struct {
	root      uint32
	dedicated bool

	mu  sync.Mutex
	job windows.Handle // 0: closed
}

// spawn starts the first process, suspended until it is in the job, so that it
// has no time to have children outside.
func spawn(cmd *exec.Cmd, dedicated bool) (*tree, error) {
	job, err := newJob()
	if err != nil {
		return nil, err
	}
	if err := quoteBatch(cmd); err != nil {
		windows.CloseHandle(job)
		return nil, err
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.CreationFlags = windows.CREATE_SUSPENDED | windows.CREATE_NEW_PROCESS_GROUP
	if err := cmd.Start(); err != nil {
		windows.CloseHandle(job)
		return nil, err
	}
	t := &tree{root: uint32(cmd.Process.Pid), dedicated: dedicated, job: job}
	if err := t.admit(); err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		windows.CloseHandle(job)
		return nil, err
	}
	return t, nil
}

// newJob makes a job that kills its processes when its last handle closes.
func newJob() (windows.Handle, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return 0, os.NewSyscallError("CreateJobObject", err)
	}
	var info windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	info.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)))
	if err != nil {
		windows.CloseHandle(job)
		return 0, os.NewSyscallError("SetInformationJobObject", err)
	}
	return job, nil
}

// admit puts the first process into the job and lets it run.
func (t *tree) admit() error {
	const access = windows.PROCESS_SET_QUOTA | windows.PROCESS_TERMINATE
	p, err := windows.OpenProcess(access, false, t.root)
	if err != nil {
		return os.NewSyscallError("OpenProcess", err)
	}
	defer windows.CloseHandle(p)
	if err := windows.AssignProcessToJobObject(t.job, p); err != nil {
		return os.NewSyscallError("AssignProcessToJobObject", err)
	}
	return resume(t.root)
}

// resume wakes the threads of a process that was created suspended.
func resume(pid uint32) error {
	snap, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPTHREAD, 0)
	if err != nil {
		return os.NewSyscallError("CreateToolhelp32Snapshot", err)
	}
	defer windows.CloseHandle(snap)
	entry := windows.ThreadEntry32{Size: uint32(unsafe.Sizeof(windows.ThreadEntry32{}))}
	woken := 0
	for err = windows.Thread32First(snap, &entry); err == nil; err = windows.Thread32Next(snap, &entry) {
		if entry.OwnerProcessID == pid && resumeThread(entry.ThreadID) == nil {
			woken++
		}
	}
	if woken == 0 {
		return fmt.Errorf("process %d has no thread to resume", pid)
	}
	return nil
}

func resumeThread(id uint32) error {
	th, err := windows.OpenThread(windows.THREAD_SUSPEND_RESUME, false, id)
	if err != nil {
		return err
	}
	defer windows.CloseHandle(th)
	_, err = windows.ResumeThread(th)
	return err
}

// jobAccounting is JOBOBJECT_BASIC_ACCOUNTING_INFORMATION of <winnt.h>.
type jobAccounting struct {
	totalUserTime, totalKernelTime, thisPeriodUserTime, thisPeriodKernelTime int64
	totalPageFaults, totalProcesses, activeProcesses, totalTerminated        uint32
}

// gone says whether the job is empty.
func (t *tree) gone() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.job == 0 {
		return true
	}
	var info jobAccounting
	err := windows.QueryInformationJobObject(t.job, windows.JobObjectBasicAccountingInformation,
		uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)), nil)
	return err == nil && info.activeProcesses == 0
}

// terminate presses Ctrl-Break for the command, the nearest thing to SIGTERM.
// It reaches only a command that shares our console.
func (t *tree) terminate() { _ = t.interrupt() }

func (t *tree) interrupt() error {
	return windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, t.root)
}

// kill ends every process of the job.
func (t *tree) kill() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.job != 0 {
		_ = windows.TerminateJobObject(t.job, 1)
	}
}

// reap has nothing to do: Windows has no zombies.
func (t *tree) reap() {}

// close gives the job up.
func (t *tree) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	windows.CloseHandle(t.job)
	t.job = 0
}

// adopt does nothing: the job knows every descendant.
func adopt() error { return nil }

// pipe returns the two ends of a pipe.
func pipe() (r, w *os.File, err error) { return os.Pipe() }

// A guardian is not needed: the job ends with us.
type guardian struct{}

func startGuardian(*tree, time.Duration) *guardian { return nil }

func (*guardian) dismiss() {}

func guard([]string) {}
