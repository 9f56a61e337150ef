package trail

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// scanBuffer is how much of a segment is read at once. It holds several of
// the longest lines, and stays in a core's cache.
const scanBuffer = 256 << 10

var (
	errLongLine = fmt.Errorf("line is longer than %d bytes", MaxLine)
	errTornEnd  = errors.New("the segment does not end in a whole line")
)

// A scanner splits a file into its whole lines. It starts every read at the
// start of a line, so that a torn line which was cut off and written anew
// between two reads is never glued to its successor.
type scanner struct {
	r       io.ReaderAt
	buf     []byte
	data    []byte // what is unread of buf
	off     int64  // file offset of data, always the start of a line
	pending bool   // there are bytes after the last whole line
}

func newScanner(r io.ReaderAt, off int64, buf []byte) *scanner {
	if buf == nil {
		buf = make([]byte, scanBuffer)
	}
	return &scanner{r: r, off: off, buf: buf}
}

// next returns the next whole line without its '\n', and its offset. At the
// end of the whole lines it returns io.EOF and may be called again when the
// file has grown. errLongLine stands for one line that was skipped.
func (s *scanner) next() (line []byte, off int64, err error) {
	n := bytes.IndexByte(s.data, '\n')
	if n < 0 {
		if err := s.fill(); err != nil {
			return nil, s.off, err
		}
		if n = bytes.IndexByte(s.data, '\n'); n < 0 {
			off = s.off
			return nil, off, s.skipLong()
		}
	}
	line, off = s.data[:n], s.off
	s.data, s.off = s.data[n+1:], s.off+int64(n)+1
	if n >= MaxLine {
		return nil, off, errLongLine
	}
	return line, off, nil
}

// fill reads from the start of the next line. It returns io.EOF where there is
// no whole line yet.
func (s *scanner) fill() error {
	n, err := s.r.ReadAt(s.buf, s.off)
	s.data = s.buf[:n]
	if err != nil && err != io.EOF {
		s.data = nil
		return err
	}
	s.pending = n > 0
	if n < len(s.buf) && bytes.IndexByte(s.data, '\n') < 0 {
		s.data = nil
		return io.EOF
	}
	return nil
}

// skipLong moves past a line that does not fit the buffer.
func (s *scanner) skipLong() error {
	at := s.off + int64(len(s.data))
	s.data = nil
	for {
		n, err := s.r.ReadAt(s.buf, at)
		if i := bytes.IndexByte(s.buf[:n], '\n'); i >= 0 {
			s.off = at + int64(i) + 1
			return errLongLine
		}
		if err != nil {
			return err // io.EOF: the long line is not whole yet
		}
		at += int64(n)
	}
}
