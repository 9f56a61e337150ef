//go:build !linux

package main

// holds reports whether there is a process pid, which has the file at path
// open unless the number was given to another process since.
func holds(pid int, _ string) bool { return isRunning(pid) }
