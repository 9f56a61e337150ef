package tiles

import (
	"bufio"
	"container/list"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/tooltrail/tooltrail/trail"
)

// An index remembers where in a segment the entry bundles begin. It looks only
// at lines that a checkpoint covers: those after them may still be cut off and
// written anew.
type index struct {
	mu      sync.Mutex // guards what follows; held while the segment is read
	file    fs.FileInfo
	first   uint64  // index of the segment's first line
	starts  []int64 // starts[i] is where line (first/256+1+i)*256 begins
	next    uint64  // index of the line behind the last one seen
	scanned int64   // where that line begins
}

// offset returns a place in f at or before the line at: where it begins, and
// the index of the line that begins there. covered is how many lines of the
// trail cannot change any more; at is below it.
func (x *index) offset(f *os.File, seg trail.Segment, at, covered uint64) (off int64, line uint64, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	info, err := f.Stat()
	if err != nil {
		return 0, 0, err
	}
	if x.file == nil || !os.SameFile(x.file, info) || info.Size() < x.scanned {
		x.first, x.next, x.starts, x.scanned = seg.First, seg.First, nil, 0
	}
	x.file = info
	if x.next <= at {
		if err := x.scan(f, covered); err != nil {
			return 0, 0, err
		}
	}
	if i := at/tileWidth - x.first/tileWidth; at/tileWidth*tileWidth > x.first && i <= uint64(len(x.starts)) {
		return x.starts[i-1], at / tileWidth * tileWidth, nil
	}
	return 0, x.first, nil
}

// scan goes on to the end of the segment's covered lines. x.mu is held.
func (x *index) scan(f *os.File, covered uint64) error {
	in := bufio.NewReaderSize(io.NewSectionReader(f, x.scanned, 1<<62), readBuffer)
	for x.next < covered {
		line, err := in.ReadSlice('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s, line %d: %w", f.Name(), x.next, err)
		}
		if x.next%tileWidth == 0 && x.next > x.first {
			x.starts = append(x.starts, x.scanned)
		}
		x.next++
		x.scanned += int64(len(line))
	}
	return nil
}

// readBuffer holds the longest line.
const readBuffer = 128 << 10

// indexes are those of the segments last used.
type indexes struct {
	mu    sync.Mutex // guards what follows
	most  int
	byKey map[string]*list.Element
	order list.List // of *entry; the one used last is in front
}

type entry struct {
	key   string
	index *index
}

// of returns the index of the segment at path, and drops the one that was not
// used for the longest time where there are too many.
func (c *indexes) of(path string) *index {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byKey[path]; ok {
		c.order.MoveToFront(e)
		return e.Value.(*entry).index
	}
	x := &index{}
	c.byKey[path] = c.order.PushFront(&entry{path, x})
	if c.order.Len() > c.most {
		oldest := c.order.Remove(c.order.Back()).(*entry)
		delete(c.byKey, oldest.key)
	}
	return x
}
