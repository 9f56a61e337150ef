package trail

import (
	"errors"
	"io"
	"slices"

	"github.com/tooltrail/tooltrail/internal/durable"
)

// lastLines returns, for each trail, the index from which on the last n lines
// of them all, by time, are read.
func lastLines(dirs []string, n int) (froms []uint64, err error) {
	type stamp struct {
		when  int64
		trail int
	}
	var all []stamp
	froms = make([]uint64, len(dirs))
	for i, dir := range dirs {
		end, times, err := lastTimes(dir, n)
		if err != nil {
			return nil, err
		}
		froms[i] = end
		for _, when := range times {
			all = append(all, stamp{when, i})
		}
	}
	slices.SortStableFunc(all, func(a, b stamp) int {
		return compareUint(uint64(a.when)^1<<63, uint64(b.when)^1<<63)
	})
	for _, s := range all[max(0, len(all)-n):] {
		froms[s.trail]--
	}
	return froms, nil
}

// lastTimes returns the index behind the last whole line of a trail, and the
// times of its last n lines, made to rise as the merge would see them.
func lastTimes(dir string, n int) (end uint64, times []int64, err error) {
	segs, err := Segments(dir)
	if err != nil {
		return 0, nil, err
	}
	for i := len(segs) - 1; i >= 0 && (i == len(segs)-1 || len(times) < n); i-- {
		next, more, err := segmentTimes(segs[i], n-len(times))
		if err != nil {
			return 0, nil, err
		}
		if i == len(segs)-1 {
			end = next
		}
		times = append(more, times...)
	}
	for i := 1; i < len(times); i++ {
		times[i] = max(times[i], times[i-1])
	}
	return end, times, nil
}

// segmentTimes returns the index behind a segment's last line and the times of
// its last n lines.
func segmentTimes(seg Segment, n int) (end uint64, times []int64, err error) {
	f, err := durable.OpenRead(seg.Path)
	if err != nil {
		return 0, nil, err
	}
	defer f.Close()
	var ring []int64 // the newest n, from any place on
	scan := newScanner(f, 0, nil)
	end = seg.First
	for seg.Next == 0 || end < seg.Next {
		line, _, err := scan.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && err != errLongLine {
			return 0, nil, &CorruptError{Segment: seg.Path, Line: end, Offset: scan.off, Err: err}
		}
		if n > 0 {
			when, ok := lineNanos(line)
			if !ok {
				when = noTime
			}
			if len(ring) < n {
				ring = append(ring, when)
			} else {
				ring[(end-seg.First)%uint64(n)] = when
			}
		}
		end++
	}
	have := min(uint64(n), end-seg.First)
	for i := end - have; i < end; i++ {
		times = append(times, ring[(i-seg.First)%uint64(n)])
	}
	return end, times, nil
}
