package main

import (
	"errors"
	"path/filepath"
	"slices"
	"time"

	"github.com/tooltrail/tooltrail/trail"
)

// A picker says which lines are wanted.
type picker func(trail.Line) bool

// lastLines returns the last n wanted lines of the trails in dirs, merged by
// time, and for each trail by its name the index behind the last line that was
// looked at. Each trail is read from its newest segment back, no further than
// it takes. n is at least 1.
func lastLines(dirs []string, n int, want picker, g *grumbler) ([]trail.Line, map[string]uint64, error) {
	var all []timedLine
	seen := map[string]uint64{}
	for _, dir := range dirs {
		lines, next, err := lastOfTrail(dir, n, want, g)
		if err != nil {
			return nil, nil, err
		}
		seen[filepath.Base(dir)] = next
		all = append(all, timed(lines)...)
	}
	slices.SortStableFunc(all, func(a, b timedLine) int { return a.when.Compare(b.when) })
	all = all[max(0, len(all)-n):]
	lines := make([]trail.Line, len(all))
	for i, l := range all {
		lines[i] = l.line
	}
	return lines, seen, nil
}

// A timedLine has the time by which it is merged with those of other trails.
type timedLine struct {
	line trail.Line
	when time.Time
}

// timed makes the times of one trail's lines rise, so that merging keeps their
// order, whatever its clock did.
func timed(lines []trail.Line) []timedLine {
	out := make([]timedLine, len(lines))
	var latest time.Time
	for i, l := range lines {
		if ts, ok := timeOf(l); ok && ts.After(latest) {
			latest = ts
		}
		out[i] = timedLine{l, latest}
	}
	return out
}

// lastOfTrail returns the last n wanted lines of one trail, and the index
// behind its last line.
func lastOfTrail(dir string, n int, want picker, g *grumbler) (lines []trail.Line, next uint64, err error) {
	segs, err := trail.Segments(dir)
	if err != nil {
		return nil, 0, err
	}
	for i := len(segs) - 1; i >= 0 && len(lines) < n; i-- {
		more, end, err := lastOfSegment(segs[i], n-len(lines), want, g)
		if err != nil {
			return nil, 0, err
		}
		next = max(next, end)
		lines = append(more, lines...)
	}
	return lines, next, nil
}

// lastOfSegment returns the last n wanted lines of a segment, and the index
// behind its last line.
func lastOfSegment(seg trail.Segment, n int, want picker, g *grumbler) (lines []trail.Line, next uint64, err error) {
	var ring []trail.Line
	count := 0
	next = seg.First
	for line, err := range trail.ReadSegment(seg) {
		var corrupt *trail.CorruptError
		if errors.As(err, &corrupt) {
			g.corrupt(corrupt)
			next = max(next, corrupt.Line+1)
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		next = line.Index + 1
		if !want(line) {
			continue
		}
		if len(ring) < n {
			ring = append(ring, trail.Line{})
		}
		slot := &ring[count%n]
		kept := append(slot.Bytes[:0], line.Bytes...)
		*slot = line
		slot.Bytes = kept
		count++
	}
	if len(ring) == n {
		at := count % n
		ring = append(ring[at:len(ring):len(ring)], ring[:at]...)
	}
	return ring, next, nil
}
