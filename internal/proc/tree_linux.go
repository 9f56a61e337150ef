package proc

import (
	"bytes"
	"os"
	"strconv"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// adopted is set once this process is dedicated to a child.
var adopted atomic.Bool

// adopt makes this process the parent of its descendants' orphans, see
// PR_SET_CHILD_SUBREAPER in prctl(2).
func adopt() error {
	if adopted.Swap(true) {
		return ErrDedicated
	}
	return os.NewSyscallError("prctl", unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
}

// pipeSize is what a pipe should hold. With the usual 64 KiB a message of that
// size and its envelope need two turns of the reader.
const pipeSize = 256 << 10

// widen gives a pipe more room, if the user's limit for pipes allows it.
func widen(fd int) { _, _ = unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, pipeSize) }

// processes reads the process table. A process that ends meanwhile is left
// out.
func processes() map[int]process {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	table := make(map[int]process, len(names))
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if p, ok := readStat(pid); ok {
			table[pid] = p
		}
	}
	return table
}

// lookup reads the row of one process.
func lookup(pid int) (process, bool) { return readStat(pid) }

// readStat reads one row: see proc_pid_stat(5). The second field is a name in
// parentheses that may itself hold anything, so fields count from the last
// parenthesis.
func readStat(pid int) (process, bool) {
	line, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return process{}, false
	}
	f := bytes.Fields(line[bytes.LastIndexByte(line, ')')+1:])
	if len(f) < 20 {
		return process{}, false
	}
	ppid, _ := strconv.Atoi(string(f[1]))
	pgrp, _ := strconv.Atoi(string(f[2]))
	start, _ := strconv.ParseUint(string(f[19]), 10, 64)
	dead := f[0][0] == 'Z' || f[0][0] == 'X'
	return process{pid: pid, ppid: ppid, pgrp: pgrp, start: start, zombie: dead}, true
}

// self is the path of our own program, even when its file has been replaced.
func self() string { return "/proc/self/exe" }
