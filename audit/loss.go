package audit

import (
	"bytes"
	"math"
	"math/bits"
	"slices"
	"sync/atomic"
	"time"
)

// A lossWindow holds what is to be said of the events that were refused a
// place and are not declared yet: when they were, in Unix nanoseconds, and why.
// Many goroutines extend it, one takes it. It is not exact to the event: what is
// lost while a window is taken may count to either; the counts, kept elsewhere,
// are exact.
type lossWindow struct {
	first, last atomic.Int64
	reasons     atomic.Uint32 // bits of reasonBits
	latest      time.Time     // of the window taken last; the taker's
	reason      LossReason    // of the window taken last; the taker's
}

// reasonBits are the reasons for which an event is refused a place.
var reasonBits = [...]LossReason{LossQueueFull, LossFallback, LossClosed}

func (w *lossWindow) init() {
	w.first.Store(math.MaxInt64)
	w.last.Store(math.MinInt64)
}

func (w *lossWindow) extend(at time.Time, reason LossReason) {
	if at.IsZero() {
		at = time.Now()
	}
	nanos := at.UnixNano()
	for first := w.first.Load(); nanos < first && !w.first.CompareAndSwap(first, nanos); first = w.first.Load() {
	}
	for last := w.last.Load(); nanos > last && !w.last.CompareAndSwap(last, nanos); last = w.last.Load() {
	}
	bit := uint32(1) << slices.Index(reasonBits[:], reason)
	if w.reasons.Load()&bit == 0 {
		w.reasons.Or(bit)
	}
}

// take returns what there is to say of count events and begins a new window.
func (w *lossWindow) take(count uint64) *Lost {
	l := &Lost{Count: count, Reason: w.reason} // if its own went with the window before
	first, last := w.first.Swap(math.MaxInt64), w.last.Swap(math.MinInt64)
	if first <= last {
		l.First, l.Last = time.Unix(0, first).UTC(), time.Unix(0, last).UTC()
		w.latest = l.Last
	} else {
		l.First, l.Last = w.latest, w.latest
	}
	if reasons := w.reasons.Swap(0); reasons != 0 {
		l.Reason = LossMixed
		if bits.OnesCount32(reasons) == 1 {
			l.Reason = reasonBits[bits.TrailingZeros32(reasons)]
		}
	}
	w.reason = l.Reason
	return l
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

// declareIn returns line, an encoded event without its newline, with the
// declaration of a loss behind its number, merged with the one that it may have
// there. The encoder keeps room for it.
func (e *encoder) declareIn(line []byte, l *Lost) []byte {
	const seqKey, lostKey = `,"seq":`, `,"lost":`
	at := bytes.Index(line, []byte(seqKey)) // a quote within a string is escaped, so this is the member
	if at < 0 {
		return line
	}
	at += len(seqKey)
	for at < len(line) && line[at] >= '0' && line[at] <= '9' {
		at++
	}
	end := at
	if bytes.HasPrefix(line[at:], []byte(lostKey)) {
		if ev, err := Decode(line); err == nil {
			l = l.add(ev.Lost)
			end += bytes.IndexByte(line[at:], '}') + 1
		}
	}
	field := e.lost([]byte(lostKey), l)
	return slices.Replace(slices.Clone(line), at, end, field...)
}
