package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// New returns a [Queue] that writes JSON lines to w, with one Write for each
// batch. Closing the queue does not close w. o may be nil.
func New(w io.Writer, o *QueueOptions) *Queue { return NewQueue(NewJSONLines(w), o) }

// Stdout returns a [Queue] that writes JSON lines to standard output.
func Stdout(o *QueueOptions) *Queue { return New(os.Stdout, o) }

// Stderr returns a [Queue] that writes JSON lines to standard error.
func Stderr(o *QueueOptions) *Queue { return New(os.Stderr, o) }

// OpenFile returns a [Queue] that appends JSON lines to the file at path, which
// is created with mode 0600 if need be, and closed with the queue. If the file
// ends within a line, perhaps after a crash, the first line written starts on
// a fresh one. One process may write a file at a time; package trail has locks,
// rotation and repair.
func OpenFile(path string, o *QueueOptions) (*Queue, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return nil, errors.Join(fmt.Errorf("audit: %w", err), f.Close())
	}
	j := NewJSONLines(f)
	j.closer = f
	j.broken = endsWithinLine(f)
	return NewQueue(j, o), nil
}

// syncDir makes the name of a new file durable. What cannot be synced, as on
// Windows or some network file systems, is as durable as it gets.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync()
	return d.Close()
}

// endsWithinLine reports whether f is a file whose last byte is no newline.
func endsWithinLine(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return false
	}
	var last [1]byte
	_, err = f.ReadAt(last[:], info.Size()-1)
	return err == nil && last[0] != '\n'
}

// JSONLines is a [Writer] of JSON lines to an io.Writer. After a short write it
// finishes the torn line if that comes again, and else starts on a fresh one,
// so that no line is ever glued to another. It is a [Syncer]: lines are durable
// if the io.Writer is a regular file or has a Sync method of its own; on pipes
// and terminals they are accepted, and that is all.
type JSONLines struct {
	w      io.Writer
	closer io.Closer
	torn   []byte // the written part of a line whose rest was refused
	broken bool   // the destination may end within a line
	owed   bool   // it does, and only the newline is missing
}

// NewJSONLines returns a [Writer] to w.
func NewJSONLines(w io.Writer) *JSONLines { return &JSONLines{w: w} }

// Write writes the batch in one call of the io.Writer's Write. After an error,
// lines that went out whole count as accepted; a full disk is worth another
// try, any other error is not.
func (j *JSONLines) Write(_ context.Context, batch Batch) error {
	done, err := j.mend(batch.Bytes)
	if err != nil {
		return &WriteError{Retry: mayPass(err), Err: err}
	}
	torn := j.torn
	j.torn, j.broken = nil, true // in case that w panics
	n, err := j.w.Write(batch.Bytes[done:])
	done += min(max(n, 0), len(batch.Bytes)-done)
	if err == nil && done < len(batch.Bytes) {
		err = io.ErrShortWrite
	}
	if err == nil {
		j.broken = false
		return nil
	}
	return &WriteError{Lines: j.account(batch.Bytes, done, torn), Retry: mayPass(err), Err: err}
}

// account takes note of a write that ended after done bytes, and returns how
// many lines went out. A line that lacks only its newline did.
func (j *JSONLines) account(lines []byte, done int, torn []byte) (accepted int) {
	whole := bytes.LastIndexByte(lines[:done], '\n') + 1
	accepted = bytes.Count(lines[:whole], []byte{'\n'})
	switch rest := lines[whole:done]; {
	case len(rest) > 0 && lines[done] == '\n':
		j.owed = true
		accepted++
	case len(rest) > 0:
		j.torn = append(torn[:0], rest...)
	default:
		j.broken = false
	}
	return accepted
}

// mend deals with a line that an earlier Write left torn. It returns how much
// of lines has been written already.
func (j *JSONLines) mend(lines []byte) (done int, err error) {
	if !j.broken {
		return 0, nil
	}
	if len(j.torn) > 0 && bytes.HasPrefix(lines, j.torn) {
		return len(j.torn), nil
	}
	if _, err := j.w.Write([]byte{'\n'}); err != nil {
		return 0, err
	}
	j.torn, j.broken, j.owed = nil, false, false
	return 0, nil
}

// mayPass reports whether an error may pass by itself.
func mayPass(err error) bool { return isDiskFull(err) || errors.Is(err, io.ErrShortWrite) }

// Sync makes what was written durable, if the io.Writer can.
func (j *JSONLines) Sync(context.Context) error {
	if f, ok := j.w.(*os.File); ok {
		if info, err := f.Stat(); err == nil && !info.Mode().IsRegular() {
			return nil // fsync of a pipe or terminal is an error
		}
	}
	if s, ok := j.w.(interface{ Sync() error }); ok {
		return s.Sync()
	}
	return nil
}

// Close writes a newline that is owed, and closes the file that [OpenFile]
// opened, but no other writer.
func (j *JSONLines) Close(context.Context) (err error) {
	if j.owed {
		_, err = j.w.Write([]byte{'\n'})
	}
	if j.closer == nil {
		return err
	}
	return errors.Join(err, j.closer.Close())
}
