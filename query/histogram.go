package query

import (
	"math"
	"math/bits"
	"time"
)

// A Durations is a histogram of durations. Its buckets widen with the
// duration, 64 to each power of two, so that a quantile is off by at most
// 1/128, which is less than 1 %. Minimum and maximum are exact. A histogram
// takes half a kilobyte for each power of two that it met, 29 KB at most. The
// zero value is empty; it is not safe for concurrent use.
type Durations struct {
	count    uint64
	min, max uint64 // microseconds
	pages    [58]*page
}

// A page counts the durations that share their highest bit; page 0 those below
// 128 µs, one bucket for each, in two halves.
type page [pageSize]uint64

const (
	pageBits = 6
	pageSize = 1 << pageBits
)

// slot returns where a duration in microseconds is counted. Values below 64
// have a bucket each, in page 0; above, the page is the place of the highest
// bit, and the bucket the six bits after it.
func slot(us uint64) (pageIndex, bucket int) {
	if us < pageSize {
		return 0, int(us)
	}
	shift := bits.Len64(us) - pageBits - 1
	return min(shift+1, 57), int(us>>shift) & (pageSize - 1)
}

// middle returns the duration that a bucket stands for.
func middle(pageIndex, bucket int) uint64 {
	if pageIndex == 0 {
		return uint64(bucket)
	}
	shift := pageIndex - 1
	return uint64(bucket+pageSize)<<shift + 1<<shift/2
}

func (d *Durations) add(us uint64) {
	us = min(us, math.MaxInt64/1000) // what a time.Duration can hold
	p, b := slot(us)
	if d.pages[p] == nil {
		d.pages[p] = new(page)
	}
	d.pages[p][b]++
	if d.count == 0 || us < d.min {
		d.min = us
	}
	d.max = max(d.max, us)
	d.count++
}

// merge adds what other counted.
func (d *Durations) merge(other *Durations) {
	if other.count == 0 {
		return
	}
	if d.count == 0 || other.min < d.min {
		d.min = other.min
	}
	d.max = max(d.max, other.max)
	d.count += other.count
	for i, from := range other.pages {
		if from == nil {
			continue
		}
		if d.pages[i] == nil {
			d.pages[i] = new(page)
		}
		for j, n := range from {
			d.pages[i][j] += n
		}
	}
}

// Count is how many durations were counted.
func (d *Durations) Count() uint64 { return d.count }

// Min and Max are the shortest and the longest, to the microsecond; 0 where
// there are none.
func (d *Durations) Min() time.Duration { return time.Duration(d.min) * time.Microsecond }

// Max is the longest; see [Durations.Min].
func (d *Durations) Max() time.Duration { return time.Duration(d.max) * time.Microsecond }

// Quantile returns the duration that a share q of the calls, 0 to 1, did not
// exceed: the smallest of which that is true, within 1 %. It is 0 where there
// are none.
func (d *Durations) Quantile(q float64) time.Duration {
	if d.count == 0 {
		return 0
	}
	rank := uint64(math.Ceil(max(q, 0) * float64(d.count)))
	rank = min(max(rank, 1), d.count)
	for i, p := range d.pages {
		if p == nil {
			continue
		}
		for j, n := range p {
			if n < rank {
				rank -= n
				continue
			}
			us := min(max(middle(i, j), d.min), d.max)
			return time.Duration(us) * time.Microsecond
		}
	}
	return d.Max()
}
