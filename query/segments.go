package query

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/tooltrail/tooltrail/internal/durable"
	"github.com/tooltrail/tooltrail/trail"
)

// A source is one trail and those of its segments that are to be read.
type source struct {
	name string
	segs []trail.Segment
}

// sources finds the trails at path and the segments that may hold lines
// between since and until.
func sources(path string, f *Filter, thorough bool) ([]source, error) {
	dirs, err := trail.Find(path)
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	list := make([]source, len(dirs))
	for i, dir := range dirs {
		segs, err := trail.Segments(dir)
		if err != nil {
			return nil, fmt.Errorf("query: %w", err)
		}
		if !thorough {
			segs = within(segs, f)
		}
		list[i] = source{slotName(dir), segs}
	}
	return list, nil
}

// slotName is the name of a trail's directory.
func slotName(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return filepath.Base(dir)
}

// clockSlack covers what lies between the end of a call and its line's write,
// and small steps of the clock.
const clockSlack = int64(time.Hour)

// within leaves out segments that lie outside the filter's times. A segment is
// left out only if it has a successor, and its first line, its last line and,
// for since:, its time of modification all lie more than an hour outside. A
// clock that went away and came back within one segment can deceive this.
func within(segs []trail.Segment, f *Filter) []trail.Segment {
	since, until := f.nanoRange()
	if since == math.MinInt64 && until == math.MaxInt64 {
		return segs
	}
	since = max(since, math.MinInt64+clockSlack) - clockSlack
	until = min(until, math.MaxInt64-clockSlack) + clockSlack
	var kept []trail.Segment
	for _, seg := range segs {
		if seg.Next == 0 || !outside(seg, since, until) {
			kept = append(kept, seg)
		}
	}
	return kept
}

// outside reports whether a segment's ends all lie before since, or all after
// until. Where that cannot be told, it does not.
func outside(seg trail.Segment, since, until int64) bool {
	f, err := durable.OpenRead(seg.Path)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false
	}
	first, last, ok := ends(f, info.Size())
	if !ok {
		return false
	}
	return first >= until && last >= until ||
		first < since && last < since && nanos(info.ModTime()) < since
}

// ends returns the times of the first and the last line of a file. ok is false
// where either has none, or the file does not end in a whole line.
func ends(f *os.File, size int64) (first, last int64, ok bool) {
	buf := make([]byte, min(size, trail.MaxLine+1))
	if n, _ := f.ReadAt(buf, 0); n < len(buf) || n == 0 {
		return 0, 0, false
	}
	p := parser{need: fieldTime}
	head := buf[:max(bytes.IndexByte(buf, '\n'), 0)]
	p.parse(head)
	if first, ok = p.when, p.has(fieldTime); !ok {
		return 0, 0, false
	}
	if n, _ := f.ReadAt(buf, size-int64(len(buf))); n < len(buf) || buf[n-1] != '\n' {
		return 0, 0, false
	}
	buf = buf[:len(buf)-1]
	p.parse(buf[bytes.LastIndexByte(buf, '\n')+1:])
	return first, p.when, p.has(fieldTime)
}
