package proc

import (
	"os"

	"golang.org/x/sys/unix"
)

// adopt does nothing: darwin gives orphans to launchd.
func adopt() error { return nil }

// widen does nothing: darwin grows a pipe by itself.
func widen(int) {}

// zombieState is SZOMB of <sys/proc.h>.
const zombieState = 5

// processes reads the process table.
func processes() map[int]process {
	rows, err := unix.SysctlKinfoProcSlice("kern.proc.all")
	if err != nil {
		return nil
	}
	table := make(map[int]process, len(rows))
	for i := range rows {
		p := convert(&rows[i])
		table[p.pid] = p
	}
	return table
}

// lookup reads the row of one process.
func lookup(pid int) (process, bool) {
	row, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil {
		return process{}, false
	}
	p := convert(row)
	return p, p.pid == pid
}

func convert(r *unix.KinfoProc) process {
	start := r.Proc.P_starttime
	return process{
		pid:    int(r.Proc.P_pid),
		ppid:   int(r.Eproc.Ppid),
		pgrp:   int(r.Eproc.Pgid),
		start:  uint64(start.Sec)*1e6 + uint64(start.Usec),
		zombie: r.Proc.P_stat == zombieState,
	}
}

// self is the path of our own program.
func self() string {
	path, _ := os.Executable()
	return path
}
