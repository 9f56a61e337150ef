//go:build unix

package proc

import (
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
)

// A process is a row of the process table.
type process struct {
	pid, ppid, pgrp int
	start           uint64 // when it began; tells a reused pid apart
	zombie          bool
}

// A tree is every process of one command: the members of its process group,
// the descendants of its first process and, in a dedicated process, our own.
type tree struct {
	root      int
	dedicated bool

	mu    sync.Mutex
	keep  int             // a child of ours that is not of the tree; 0: none
	seen  map[int]process // members at the last look, whatever became of their parents
	ended bool            // nothing was left; the ids may mean other processes now
}

// spawnMu serialises the change of dispositions around a start.
var spawnMu sync.Mutex

// spawn starts the first process, as the leader of a group of its own. It is
// started with SIGTTIN and SIGTTOU ignored: see the package comment.
func spawn(cmd *exec.Cmd, dedicated bool) (*tree, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	spawnMu.Lock()
	defer spawnMu.Unlock()
	for _, sig := range []os.Signal{syscall.SIGTTIN, syscall.SIGTTOU} {
		if !signal.Ignored(sig) {
			signal.Ignore(sig)
			defer signal.Reset(sig)
		}
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &tree{root: cmd.Process.Pid, dedicated: dedicated, seen: map[int]process{}}, nil
}

// spare names the one child of ours that is no part of the tree.
func (t *tree) spare(pid int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keep = pid
}

// gone says whether nothing is left but, possibly, the first process for its
// parent to reap. Once true, always true.
func (t *tree) gone() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.ended && len(t.look()) == 0 {
		t.ended = true
	}
	return t.ended
}

// signal sends a signal to the process group.
func (t *tree) signal(sig syscall.Signal) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return os.ErrProcessDone
	}
	return syscall.Kill(-t.root, sig)
}

// terminate asks every process to end, and wakes those that are stopped.
func (t *tree) terminate() { t.all(syscall.SIGTERM, syscall.SIGCONT) }

// kill kills every process.
func (t *tree) kill() { t.all(syscall.SIGKILL) }

// all signals the group, which no process can join or leave half-way, and then
// each process outside of it.
func (t *tree) all(sigs ...syscall.Signal) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return
	}
	members := t.look()
	for _, sig := range sigs {
		_ = syscall.Kill(-t.root, sig)
		for pid, p := range members {
			if p.pgrp != t.root {
				_ = syscall.Kill(pid, sig)
			}
		}
	}
}

// reap collects orphans that have ended.
func (t *tree) reap() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dedicated {
		t.reapOrphans(processes())
	}
}

// close has nothing to release here.
func (t *tree) close() {}

// look returns the living members and remembers them. The caller holds mu.
func (t *tree) look() map[int]process {
	table := processes()
	if table == nil {
		return t.blindLook()
	}
	if t.dedicated {
		t.reapOrphans(table)
	}
	members := map[int]process{}
	for pid, p := range table {
		if t.member(table, p) {
			members[pid] = p
		}
	}
	t.seen = members
	return members
}

// blindLook is look without a process table: only the group can be seen.
func (t *tree) blindLook() map[int]process {
	if syscall.Kill(-t.root, 0) == syscall.ESRCH {
		return nil
	}
	return map[int]process{t.root: {pid: t.root, pgrp: t.root}}
}

// member says whether p is of the tree: of the group, known from before, or a
// descendant. Chains of parents are short; the bound only guards against a
// table that changed while it was read.
func (t *tree) member(table map[int]process, p process) bool {
	if p.zombie || p.pid == t.keep {
		return false
	}
	if old, ok := t.seen[p.pid]; p.pgrp == t.root || (ok && old.start == p.start) {
		return true
	}
	self := os.Getpid()
	for range len(table) {
		if p.pid == t.root || p.ppid == t.root || (t.dedicated && p.ppid == self) {
			return p.pid != t.keep
		}
		parent, ok := table[p.ppid]
		if !ok || parent.pid == t.keep {
			return false
		}
		if old, ok := t.seen[parent.pid]; ok && old.start == parent.start {
			return true
		}
		p = parent
	}
	return false
}

// reapOrphans collects the dead that we adopted. The first process and the
// one that is spared have somebody else who waits for them.
func (t *tree) reapOrphans(table map[int]process) {
	self := os.Getpid()
	for pid, p := range table {
		if p.zombie && p.ppid == self && pid != t.root && pid != t.keep {
			var ws syscall.WaitStatus
			_, _ = syscall.Wait4(pid, &ws, syscall.WNOHANG, nil)
		}
	}
}
