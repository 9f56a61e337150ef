package dispatch

import (
	"sync/atomic"
	"time"
)

// LatencyBounds are the upper bounds of the buckets of a Histogram. One more
// bucket holds what is longer.
var LatencyBounds = [...]time.Duration{
	50 * time.Microsecond, 100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
	1 * time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond,
	25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond,
	500 * time.Millisecond, time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 60 * time.Second,
}

// A Histogram is how long calls took.
type Histogram struct {
	Buckets [len(LatencyBounds) + 1]uint64 `json:"buckets"` // calls within each bound, and not within the one before
	Sum     time.Duration                  `json:"sum_ns"`
}

// Count is how many calls there were.
func (h *Histogram) Count() (n uint64) {
	for _, b := range h.Buckets {
		n += b
	}
	return n
}

// Quantile returns a bound that a share q of the calls did not exceed, from 0
// to 1; 0 where there were none. Of the last bucket it returns its lower bound.
func (h *Histogram) Quantile(q float64) time.Duration {
	want, n := q*float64(h.Count()), uint64(0)
	for i, b := range h.Buckets {
		if n += b; b > 0 && float64(n) >= want {
			return LatencyBounds[min(i, len(LatencyBounds)-1)]
		}
	}
	return 0
}

// liveHistogram is a Histogram that is counted up.
type liveHistogram struct {
	buckets [len(LatencyBounds) + 1]atomic.Uint64
	sum     atomic.Int64
}

func (h *liveHistogram) add(d time.Duration) {
	i := 0
	for i < len(LatencyBounds) && d > LatencyBounds[i] {
		i++
	}
	h.buckets[i].Add(1)
	h.sum.Add(int64(d))
}

func (h *liveHistogram) load() (out Histogram) {
	for i := range h.buckets {
		out.Buckets[i] = h.buckets[i].Load()
	}
	out.Sum = time.Duration(h.sum.Load())
	return out
}
