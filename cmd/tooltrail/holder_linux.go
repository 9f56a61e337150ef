package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// holds reports whether process pid has the file at path open, by the kernel's
// list of its descriptors (proc(5), /proc/PID/fd). A process that merely has
// the number of a writer that is gone has not. Where the list cannot be read,
// that there is such a process has to do. Nothing is opened or locked, so that
// no writer is disturbed.
func holds(pid int, path string) bool {
	file, err := os.Stat(path)
	if err != nil {
		return false
	}
	dir := filepath.Join("/proc", strconv.Itoa(pid), "fd")
	fds, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) && hasProc() {
		return false
	}
	if err != nil {
		return isRunning(pid)
	}
	for _, fd := range fds {
		if open, err := os.Stat(filepath.Join(dir, fd.Name())); err == nil && os.SameFile(open, file) {
			return true
		}
	}
	return false
}

func hasProc() bool {
	_, err := os.Stat("/proc/self/fd")
	return err == nil
}
