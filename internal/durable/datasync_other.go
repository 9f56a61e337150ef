//go:build unix && !linux

package durable

import "os"

// Datasync makes a file's content durable. On darwin package os uses
// F_FULLFSYNC, which makes the drive flush its own cache; plain fsync there
// does not (fsync(2), "For applications that require tighter guarantees"). We
// keep that, at 5–20 ms a call: what is reported as durable has to be.
func Datasync(f *os.File) error { return f.Sync() }
