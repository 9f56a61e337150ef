package query

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/tooltrail/tooltrail/internal/durable"
	"github.com/tooltrail/tooltrail/trail"
)

// blockSize is how much of a segment is read at once. It holds several of the
// longest lines, and stays in a core's cache until it has been looked through.
const blockSize = 256 << 10

// ErrNotOurs is in the [*trail.CorruptError] of a line that is neither an
// event nor a note.
var ErrNotOurs = errors.New("neither an event nor a note")

var (
	errLongLine = fmt.Errorf("line is longer than %d bytes", trail.MaxLine-1)
	errTornEnd  = errors.New("the segment does not end in a whole line")
)

var blockPool = sync.Pool{New: func() any { return new([blockSize]byte) }}

// A block is a run of whole lines of one segment. Its owner hands it back with
// release.
type block struct {
	buf    *[blockSize]byte
	data   []byte // whole lines, each with its '\n'
	offset int64  // of data in the file
	index  uint64 // of the first line
}

func (b *block) release() {
	if b.buf != nil {
		blockPool.Put(b.buf)
		b.buf, b.data = nil, nil
	}
}

// A blockReader reads one segment. Every read starts at the start of a line,
// so that a torn line which was cut off and written anew between two reads is
// never glued to its successor.
type blockReader struct {
	seg     trail.Segment
	file    *os.File
	offset  int64
	index   uint64
	pending bool // there are bytes after the last whole line
}

// openBlocks opens a segment. The error matches fs.ErrNotExist where it was
// pruned since it was listed.
func openBlocks(seg trail.Segment) (*blockReader, error) {
	f, err := durable.OpenRead(seg.Path)
	if err != nil {
		return nil, err
	}
	return &blockReader{seg: seg, file: f, index: seg.First}, nil
}

func (r *blockReader) close() { r.file.Close() }

// next returns the next block. At the end it returns io.EOF, or what is wrong
// with it. errLongLine, as a [*trail.CorruptError], stands for one line that
// was skipped; after any other error the segment is over.
func (r *blockReader) next() (block, error) {
	if r.clipped() {
		return block{}, io.EOF
	}
	b := block{buf: blockPool.Get().(*[blockSize]byte), offset: r.offset, index: r.index}
	n, err := r.file.ReadAt(b.buf[:], r.offset)
	if err != nil && err != io.EOF {
		b.release()
		return block{}, r.corrupt(err)
	}
	end := bytes.LastIndexByte(b.buf[:n], '\n') + 1
	if end == 0 {
		b.release()
		r.pending = n > 0
		if n == blockSize {
			return block{}, r.skipLong()
		}
		return block{}, r.ended()
	}
	b.data = b.buf[:end]
	r.offset += int64(end)
	return b, nil
}

// clipped reports whether all lines that are part of the trail were read.
func (r *blockReader) clipped() bool { return r.seg.Next != 0 && r.index >= r.seg.Next }

// ended returns io.EOF, or an error where lines are missing: a segment that
// has a successor must hold every line up to it.
func (r *blockReader) ended() error {
	if r.seg.Next == 0 || r.clipped() {
		return io.EOF
	}
	cause := fmt.Errorf("%d lines are missing before the next segment", r.seg.Next-r.index)
	if r.pending {
		cause = fmt.Errorf("%w: %w", errTornEnd, cause)
	}
	return r.corrupt(cause)
}

// skipLong moves past a line that does not fit a block.
func (r *blockReader) skipLong() error {
	buf := blockPool.Get().(*[blockSize]byte)
	defer blockPool.Put(buf)
	for at := r.offset; ; {
		n, err := r.file.ReadAt(buf[:], at)
		if i := bytes.IndexByte(buf[:n], '\n'); i >= 0 {
			bad := r.corrupt(errLongLine)
			r.offset = at + int64(i) + 1
			r.index++
			return bad
		}
		switch {
		case err == io.EOF:
			return r.ended()
		case err != nil:
			return r.corrupt(err)
		}
		at += int64(n)
	}
}

func (r *blockReader) corrupt(err error) error {
	return &trail.CorruptError{Segment: r.seg.Path, Line: r.index, Offset: r.offset, Err: err}
}

// isSkipped reports whether the segment goes on behind an error.
func isSkipped(err error) bool { return errors.Is(err, errLongLine) }

// eachLine calls visit for every line of the block that is part of the trail,
// with its index and its offset in the block. It moves the reader's index on.
// It stops where visit returns false.
func (r *blockReader) eachLine(b block, visit func(line []byte, index uint64, at int) bool) bool {
	at := 0
	for at < len(b.data) && !r.clipped() {
		n := bytes.IndexByte(b.data[at:], '\n')
		line := b.data[at : at+n]
		index := r.index
		r.index++
		if !visit(line, index, at) {
			return false
		}
		at += n + 1
	}
	return true
}
