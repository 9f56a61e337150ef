package trail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
	"time"

	"github.com/tooltrail/tooltrail/internal/durable"
)

// DefaultPoll is how often [Follow] looks for new lines.
const DefaultPoll = 50 * time.Millisecond

// FollowOptions configure [Follow]. The zero value shows new lines only.
type FollowOptions struct {
	// Last is how many of the lines that are there already come first. The
	// default is none; negative means all.
	Last int
	// Poll is how often to look. 0 means DefaultPoll.
	Poll time.Duration
}

// Follow returns the lines of the trails at path as they are written, like
// tail -f: trails and segments that appear later are taken up, and only whole
// lines are shown. What arrives between two looks is merged by time. It ends
// without an error when ctx ends; other errors are as in [Read]. o may be nil.
//
// A line is shown as soon as it is in the file. A line that a failing disk
// could not make durable, and that could not be written anew either, may
// therefore have been shown without being part of the trail.
func Follow(ctx context.Context, path string, o *FollowOptions) iter.Seq2[Line, error] {
	opts := FollowOptions{}
	if o != nil {
		opts = *o
	}
	if opts.Poll <= 0 {
		opts.Poll = DefaultPoll
	}
	return func(yield func(Line, error) bool) {
		f := &follower{path: path, cursors: map[string]*cursor{}}
		defer f.close()
		if err := f.start(opts.Last); err != nil {
			yield(Line{}, err)
			return
		}
		ticker := time.NewTicker(opts.Poll)
		defer ticker.Stop()
		for ctx.Err() == nil {
			if !merge(f.sources(), yield) {
				return
			}
			select {
			case <-ctx.Done():
			case <-ticker.C:
			}
			if err := f.find(); err != nil {
				yield(Line{}, err)
				return
			}
		}
	}
}

// A follower holds one cursor for every trail at a path.
type follower struct {
	path    string
	cursors map[string]*cursor
	order   []string // keys of cursors, sorted
}

// start places the cursors so that the last n lines come first. A home that
// holds no trail yet is no error; a path that does not exist is.
func (f *follower) start(n int) error {
	dirs, err := Find(f.path)
	if err != nil && !errors.Is(err, ErrNotTrail) {
		return err
	}
	if n < 0 {
		f.add(dirs, 0)
		return nil
	}
	froms, err := lastLines(dirs, n)
	if err != nil {
		return err
	}
	for i, dir := range dirs {
		f.add(dirs[i:i+1], froms[i])
		f.cursors[dir].live = true
	}
	return nil
}

func (f *follower) add(dirs []string, from uint64) {
	for _, dir := range dirs {
		if f.cursors[dir] == nil {
			f.cursors[dir] = &cursor{dir: dir, name: slotName(dir), next: from}
			f.order = append(f.order, dir)
		}
	}
	slices.Sort(f.order)
}

// find takes up trails that appeared. A path that is gone may come back.
func (f *follower) find() error {
	dirs, err := Find(f.path)
	if err != nil && !errors.Is(err, ErrNotTrail) && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f.add(dirs, 0)
	return nil
}

func (f *follower) sources() []source {
	list := make([]source, len(f.order))
	for i, dir := range f.order {
		list[i] = f.cursors[dir]
	}
	return list
}

func (f *follower) close() {
	for _, c := range f.cursors {
		c.close()
	}
}

// A cursor follows one trail.
type cursor struct {
	dir  string
	name string
	next uint64 // index of the next line to show
	live bool   // next is known to be right: a jump past it is a hole
	seg  Segment
	file *os.File
	scan *scanner
	at   uint64 // index of the scanner's next line
	buf  []byte
	told string // the trouble that was reported last
}

func (c *cursor) close() {
	if c.file != nil {
		c.file.Close()
		c.file = nil
	}
}

// read returns the next whole line, or io.EOF if there is none for now.
func (c *cursor) read() (Line, error) {
	for {
		if c.file == nil {
			if err := c.open(); err != nil {
				return Line{}, err
			}
		}
		if c.seg.Next != 0 && c.at >= c.seg.Next {
			c.close()
			continue
		}
		b, off, err := c.scan.next()
		switch {
		case err == io.EOF:
			if err := c.atEnd(); err != nil {
				return Line{}, err
			}
			continue
		case err == errLongLine:
			c.at++
			if c.at > c.next {
				c.next = c.at
				return Line{}, c.corrupt(off, err)
			}
			continue
		case err != nil:
			c.close()
			return Line{}, c.trouble(off, err)
		}
		c.at++
		if c.at > c.next {
			c.next, c.told = c.at, ""
			return Line{Trail: c.name, Index: c.at - 1, Segment: c.seg.Path, Offset: off, Bytes: b}, nil
		}
	}
}

// open opens the segment that holds the line next. It returns io.EOF while
// there is none.
func (c *cursor) open() error {
	seg, err := c.locate()
	if err != nil {
		return err
	}
	f, err := durable.OpenRead(seg.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return io.EOF
	}
	if err != nil {
		c.seg, c.at = seg, max(c.next, seg.First)
		return c.trouble(0, err)
	}
	if c.buf == nil {
		c.buf = make([]byte, scanBuffer)
	}
	c.seg, c.file, c.scan, c.at = seg, f, newScanner(f, 0, c.buf), seg.First
	missing := int64(seg.First - c.next)
	c.next = max(c.next, seg.First)
	if c.live && missing > 0 {
		return c.corrupt(0, fmt.Errorf("%d lines are missing before this segment", missing))
	}
	c.live = true
	return nil
}

// locate returns the newest segment that may hold the line next: the last one
// that begins at or before it, else the first one.
func (c *cursor) locate() (Segment, error) {
	segs, err := Segments(c.dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(segs) == 0 {
		return Segment{}, io.EOF
	}
	if err != nil {
		return Segment{}, err
	}
	i := len(segs) - 1
	for i > 0 && segs[i].First > c.next {
		i--
	}
	return segs[i], nil
}

// atEnd decides what follows when the open segment holds no more whole lines:
// io.EOF for now, or nil when read is to look again.
func (c *cursor) atEnd() error {
	if c.replaced() {
		c.close() // the lines go on in the new file of the same name
		return nil
	}
	if c.seg.Next != 0 {
		missing := c.seg.Next - c.at
		c.close()
		c.next = max(c.next, c.seg.Next)
		return c.corrupt(c.scan.off, fmt.Errorf("%d lines are missing before the next segment", missing))
	}
	segs, err := Segments(c.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, s := range segs {
		if s.First > c.seg.First {
			c.seg.Next = s.First // what was written before it came is read first
			return nil
		}
	}
	return io.EOF
}

// replaced reports whether another file has taken the place of the open one.
func (c *cursor) replaced() bool {
	now, err := os.Stat(c.seg.Path)
	if err != nil {
		return false
	}
	open, err := c.file.Stat()
	return err == nil && !os.SameFile(now, open)
}

// trouble reports an error that the next look may not meet any more; while it
// stays the same, it is reported once.
func (c *cursor) trouble(off int64, err error) error {
	if c.told == err.Error() {
		return io.EOF
	}
	c.told = err.Error()
	return c.corrupt(off, err)
}

func (c *cursor) corrupt(off int64, err error) error {
	return &CorruptError{Segment: c.seg.Path, Line: c.at, Offset: off, Err: err}
}
