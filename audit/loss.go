package audit

import (
	"sync/atomic"
	"time"
)

// A lossWindow holds the times of the events that were refused a place and are
// not declared yet, in Unix nanoseconds. Many goroutines extend it, one takes
// it. It is not exact to the event: what is lost while a window is taken may
// count to either; the counts, kept elsewhere, are exact.
type lossWindow struct {
	first, last atomic.Int64
}

func (w *lossWindow) extend(at time.Time) {
	if at.IsZero() {
		at = time.Now()
	}
	nanos := at.UnixNano()
	if w.first.Load() == 0 {
		w.first.CompareAndSwap(0, nanos)
	}
	for last := w.last.Load(); nanos > last; last = w.last.Load() {
		if w.last.CompareAndSwap(last, nanos) {
			return
		}
	}
}

// take returns the window and begins a new one.
func (w *lossWindow) take() (first, last time.Time) {
	l := w.last.Load()
	f := w.first.Swap(0)
	if f == 0 || f > l {
		f = l
	}
	return time.Unix(0, f).UTC(), time.Unix(0, l).UTC()
}

// add returns the sum of two losses; either may be nil.
func (l *Lost) add(other *Lost) *Lost {
	if l == nil || other == nil {
		if l == nil {
			return other
		}
		return l
	}
	sum := *l
	sum.Count += other.Count
	if other.First.Before(sum.First) {
		sum.First = other.First
	}
	if other.Last.After(sum.Last) {
		sum.Last = other.Last
	}
	if other.Reason != sum.Reason {
		sum.Reason = LossMixed
	}
	return &sum
}

// appendLostNote appends the line, without a newline, that declares a loss
// after which no event comes: seq is the number of the last lost event.
func (e *encoder) appendLostNote(dst []byte, at time.Time, seq uint64, l *Lost) []byte {
	dst = append(dst, `{"note":"lost","ts":"`...)
	dst = e.clock.append(dst, at)
	dst = append(dst, '"')
	dst = integer(dst, `,"seq":`, int64(seq))
	dst = append(dst, `,"lost":`...)
	dst = e.lost(dst, l)
	return append(dst, '}')
}
