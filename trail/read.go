package trail

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"time"

	"github.com/tooltrail/tooltrail/internal/durable"
)

// ReadOptions narrow what [Read] returns. The zero value reads everything.
type ReadOptions struct {
	// Since lets the reader leave out segments that were last written before
	// it. The segments that remain may still hold older lines. The zero time
	// leaves nothing out.
	Since time.Time
	// From is the index of the first line wanted of every trail. It is of use
	// where path is one trail.
	From uint64
}

// Read returns the lines of the trails at path, a home or a single trail,
// merged by their timestamps. Lines of one trail always keep their order,
// whatever its clock did; of equal times, the trail whose name sorts first
// comes first. It reads what is there when each segment is reached; the
// unfinished line at the end of a live trail is left out.
//
// Errors are yielded with a zero Line. After a [*CorruptError] the iteration
// goes on behind the bad place; after any other error it is over. o may be nil.
func Read(path string, o *ReadOptions) iter.Seq2[Line, error] {
	opts := ReadOptions{}
	if o != nil {
		opts = *o
	}
	return func(yield func(Line, error) bool) {
		dirs, err := Find(path)
		if err != nil {
			yield(Line{}, err)
			return
		}
		sources := make([]source, len(dirs))
		for i, dir := range dirs {
			r := newReader(dir, opts)
			defer r.close()
			sources[i] = r
		}
		merge(sources, yield)
	}
}

// ReadSegment returns the lines of one segment, in order and clipped at
// seg.Next. Errors are as in [Read]. It serves readers that spread segments
// over several goroutines.
func ReadSegment(seg Segment) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		r := &reader{name: filepath.Base(filepath.Dir(seg.Path)), segs: []Segment{seg}, listed: true, next: seg.First}
		defer r.close()
		merge([]source{r}, yield)
	}
}

// A reader reads one trail from its first segment to its last.
type reader struct {
	dir    string
	name   string
	opts   ReadOptions
	segs   []Segment // those not opened yet
	listed bool
	cur    Segment
	file   *os.File // nil between segments
	scan   *scanner
	buf    []byte
	next   uint64 // index of the next line
}

func newReader(dir string, opts ReadOptions) *reader {
	return &reader{dir: dir, name: slotName(dir), opts: opts}
}

// slotName is the name of a trail's directory.
func slotName(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return filepath.Base(dir)
}

func (r *reader) close() {
	if r.file != nil {
		r.file.Close()
		r.file = nil
	}
}

// read returns the next line. io.EOF is the end.
func (r *reader) read() (Line, error) {
	for {
		if r.file == nil {
			if err := r.advance(); err != nil {
				return Line{}, err
			}
		}
		if r.cur.Next != 0 && r.next >= r.cur.Next {
			r.close()
			continue
		}
		b, off, err := r.scan.next()
		switch {
		case err == io.EOF:
			if err := r.ended(); err != nil {
				return Line{}, err
			}
			continue
		case err == errLongLine:
			r.next++
			if r.next > r.opts.From {
				return Line{}, r.corrupt(r.next-1, off, err)
			}
			continue
		case err != nil:
			return Line{}, r.unreadable(off, err)
		}
		r.next++
		if r.next > r.opts.From {
			return Line{Trail: r.name, Index: r.next - 1, Segment: r.cur.Path, Offset: off, Bytes: b}, nil
		}
	}
}

// advance opens the next segment.
func (r *reader) advance() error {
	if !r.listed {
		segs, err := Segments(r.dir)
		if err != nil {
			return err
		}
		r.segs, r.listed = wanted(segs, r.opts), true
		if len(r.segs) > 0 {
			r.next = r.segs[0].First
		}
	}
	for len(r.segs) > 0 {
		seg := r.segs[0]
		r.segs = r.segs[1:]
		f, err := durable.OpenRead(seg.Path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // pruned since it was listed
		}
		r.cur, r.next = seg, seg.First
		if err != nil {
			return r.corrupt(seg.First, 0, err)
		}
		if r.buf == nil {
			r.buf = make([]byte, scanBuffer)
		}
		r.file, r.scan = f, newScanner(f, 0, r.buf)
		return nil
	}
	return io.EOF
}

// ended closes a segment at its end. A segment that has a successor must hold
// every line up to it.
func (r *reader) ended() error {
	defer r.close()
	if r.cur.Next == 0 || r.next >= r.cur.Next {
		return nil
	}
	cause := fmt.Errorf("%d lines are missing before the next segment", r.cur.Next-r.next)
	if r.scan.pending {
		cause = fmt.Errorf("%w: %w", errTornEnd, cause)
	}
	return r.corrupt(r.next, r.scan.off, cause)
}

// unreadable gives up on a segment that cannot be read on.
func (r *reader) unreadable(off int64, err error) error {
	defer r.close()
	return r.corrupt(r.next, off, err)
}

func (r *reader) corrupt(line uint64, off int64, err error) error {
	return &CorruptError{Segment: r.cur.Path, Line: line, Offset: off, Err: err}
}

// wanted leaves out the segments that opts has no use for.
func wanted(segs []Segment, opts ReadOptions) []Segment {
	for len(segs) > 1 && segs[0].Next <= opts.From {
		segs = segs[1:]
	}
	for len(segs) > 1 && !opts.Since.IsZero() && writtenBefore(segs[0], opts.Since) {
		segs = segs[1:]
	}
	return segs
}

// clockSlack covers what lies between the end of a call and its line's write.
const clockSlack = time.Hour

// writtenBefore reports whether a segment was last written well before t.
func writtenBefore(seg Segment, t time.Time) bool {
	info, err := os.Stat(seg.Path)
	return err == nil && info.ModTime().Add(clockSlack).Before(t)
}
