package tiles

import (
	"bufio"
	"container/list"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync"

	"github.com/tooltrail/tooltrail/internal/durable"
	"github.com/tooltrail/tooltrail/trail"
)

// lines cuts entry bundles from the segments of a trail.
type lines struct {
	dir     string
	indexes indexes

	mu   sync.Mutex // guards segs
	segs []trail.Segment
}

func newLines(dir string, most int) *lines {
	return &lines{dir: dir, indexes: indexes{most: most, byKey: map[string]*list.Element{}}}
}

const pruned = missing("pruned: the trail does not hold these lines any more")

// bundle returns the lines from start to end, each behind its length in two
// bytes. covered is how many lines the checkpoint covers.
func (l *lines) bundle(start, end, covered uint64) ([]byte, error) {
	b, err := l.cut(start, end, covered, false)
	if errors.Is(err, fs.ErrNotExist) {
		b, err = l.cut(start, end, covered, true) // pruned since they were listed
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, pruned
	}
	return b, err
}

func (l *lines) cut(start, end, covered uint64, anew bool) ([]byte, error) {
	segs, err := l.segments(start, end, anew)
	if err != nil {
		return nil, err
	}
	var b []byte
	for _, seg := range segs {
		to := end
		if seg.Next != 0 {
			to = min(to, seg.Next)
		}
		if b, err = l.appendFrom(b, seg, max(start, seg.First), to, covered); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// segments returns the segments that hold the lines from start to end. The
// list is made anew where the newest segment is among them, for it may have got
// a successor.
func (l *lines) segments(start, end uint64, anew bool) ([]trail.Segment, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.segs); anew || n == 0 || end > l.segs[n-1].First {
		segs, err := trail.Segments(l.dir)
		if err != nil {
			return nil, err
		}
		l.segs = segs
	}
	if len(l.segs) == 0 || start < l.segs[0].First {
		return nil, pruned
	}
	from, found := slices.BinarySearchFunc(l.segs, start, compareFirst)
	if !found {
		from--
	}
	to, _ := slices.BinarySearchFunc(l.segs, end, compareFirst)
	return slices.Clone(l.segs[from:to]), nil
}

func compareFirst(s trail.Segment, first uint64) int {
	switch {
	case s.First < first:
		return -1
	case s.First > first:
		return 1
	}
	return 0
}

// appendFrom appends the lines of one segment from start to end.
func (l *lines) appendFrom(b []byte, seg trail.Segment, start, end, covered uint64) ([]byte, error) {
	f, err := durable.OpenRead(seg.Path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if seg.Next != 0 {
		covered = min(covered, seg.Next)
	}
	off, at, err := l.indexes.of(seg.Path).offset(f, seg, start, covered)
	if err != nil {
		return nil, err
	}
	in := bufio.NewReaderSize(io.NewSectionReader(f, off, 1<<62), readBuffer)
	for ; at < end; at++ {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", seg.Path, at, err)
		}
		if len(line) > trail.MaxLine {
			return nil, fmt.Errorf("%s, line %d: longer than %d bytes", seg.Path, at, trail.MaxLine)
		}
		if at >= start {
			line = line[:len(line)-1]
			b = binary.BigEndian.AppendUint16(b, uint16(len(line)))
			b = append(b, line...)
		}
	}
	return b, nil
}
