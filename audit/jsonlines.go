package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
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
	j := NewJSONLines(f)
	j.closer = f
	j.broken = endsWithinLine(f)
	return NewQueue(j, o), nil
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
// so that no line is ever glued to another. It is a [Syncer] if the io.Writer
// has a Sync method, as *os.File has.
type JSONLines struct {
	w      io.Writer
	closer io.Closer
	torn   []byte // the written part of a line whose rest was refused
	broken bool   // the destination may end within a line
}

// NewJSONLines returns a [Writer] to w.
func NewJSONLines(w io.Writer) *JSONLines { return &JSONLines{w: w} }

// Write writes the batch in one call of the io.Writer's Write. After an error,
// lines that went out whole count as accepted; a full disk is worth another
// try, any other error is not.
func (j *JSONLines) Write(_ context.Context, batch Batch) error {
	done, err := j.mend(batch.Bytes)
	if err == nil {
		var n int
		n, err = j.w.Write(batch.Bytes[done:])
		done += min(max(n, 0), len(batch.Bytes)-done)
		if err == nil && done < len(batch.Bytes) {
			err = io.ErrShortWrite
		}
	}
	if err == nil {
		j.torn, j.broken = j.torn[:0], false
		return nil
	}
	whole := bytes.LastIndexByte(batch.Bytes[:done], '\n') + 1
	if done > len(j.torn) || whole > 0 {
		j.torn = append(j.torn[:0], batch.Bytes[whole:done]...)
		j.broken = len(j.torn) > 0
	}
	return &WriteError{Lines: bytes.Count(batch.Bytes[:whole], []byte{'\n'}), Retry: mayPass(err), Err: err}
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
	j.torn, j.broken = j.torn[:0], false
	return 0, nil
}

// mayPass reports whether an error may pass by itself.
func mayPass(err error) bool { return isDiskFull(err) || errors.Is(err, io.ErrShortWrite) }

// Sync makes what was written durable, if the io.Writer can.
func (j *JSONLines) Sync(context.Context) error {
	if s, ok := j.w.(interface{ Sync() error }); ok {
		return s.Sync()
	}
	return nil
}

// Close closes the file that [OpenFile] opened, and no other writer.
func (j *JSONLines) Close(context.Context) error {
	if j.closer == nil {
		return nil
	}
	return j.closer.Close()
}
