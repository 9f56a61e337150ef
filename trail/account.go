package trail

import (
	"errors"
	"fmt"
	"slices"
)

// An Account adds up one trail. In a trail that lost nothing silently
//
//	Events + sum of Lost = Last - First + 1
//
// and Undeclared is empty.
type Account struct {
	Events  uint64            // event lines, and those that were erased
	Notes   uint64            // notes
	Unknown uint64            // lines that are neither
	Lost    map[string]uint64 // lost events, by reason
	// First and Last are the first and last sequence numbers of the segments
	// that are there; both are 0 where there are none. First is greater than 1
	// only after pruning.
	First, Last uint64
	// Undeclared are numbers that stand neither on an event nor in a loss.
	Undeclared []Range
	// Duplicates counts numbers that stand on more than one event, or on an
	// event that is also declared lost.
	Duplicates uint64
	// Corrupt are the places that could not be read.
	Corrupt []*CorruptError
}

// A Range is a run of sequence numbers, First to Last.
type Range struct{ First, Last uint64 }

// LostEvents is the sum of Lost.
func (a *Account) LostEvents() (n uint64) {
	for _, c := range a.Lost {
		n += c
	}
	return n
}

// Balanced reports whether every number is accounted for exactly once.
func (a *Account) Balanced() bool {
	used := uint64(0)
	if a.Last > 0 {
		used = a.Last - a.First + 1
	}
	return len(a.Undeclared) == 0 && a.Duplicates == 0 && a.Events+a.LostEvents() == used
}

// Check adds up one trail from its files alone. It may run beside the trail's
// writer, and then speaks of the lines that it met.
func Check(dir string) (Account, error) {
	c := checker{a: Account{Lost: map[string]uint64{}}}
	r := newReader(dir, ReadOptions{})
	defer r.close()
	var failed error
	drain(r, func(line Line, err error) bool {
		if err == nil {
			c.line(line.Bytes)
			return true
		}
		var corrupt *CorruptError
		if errors.As(err, &corrupt) {
			c.a.Corrupt = append(c.a.Corrupt, corrupt)
			return true
		}
		failed = fmt.Errorf("trail: check %s: %w", dir, err)
		return false
	})
	if failed != nil {
		return Account{}, failed
	}
	return c.finish(), nil
}

// A checker collects the numbers of a trail's lines as runs.
type checker struct {
	a      Account
	have   []span         // numbers of events, in runs
	lost   []declaredLoss // declared losses
	said   map[span]bool  // losses with explicit numbers, which may be said twice
	pruned uint64         // through_seq of the newest prune note
	mark   uint64         // last number that a note says was used up
}

type declaredLoss struct {
	span
	reason string
}

func (c *checker) line(b []byte) {
	switch kindOf(b) {
	case Event, Redacted:
		c.a.Events++
		if seq, ok := lineSeq(b); ok {
			c.event(seq)
		}
	case Note:
		c.a.Notes++
		if noteKind(b) == "prune" {
			n, _ := numberAfter(b, throughKey)
			c.pruned = max(c.pruned, n)
		}
		if seq, ok := lineSeq(b); ok {
			c.mark = max(c.mark, seq)
		}
	default:
		c.a.Unknown++
		return
	}
	if sp, reason, ok := declared(b); ok && sp.count() > 0 {
		c.loss(sp, reason, kindOf(b) == Note)
	}
}

var throughKey = []byte(`,"through_seq":`)

func (c *checker) event(seq uint64) {
	if n := len(c.have); n > 0 && c.have[n-1].last+1 == seq {
		c.have[n-1].last = seq
		return
	}
	c.have = append(c.have, span{seq, seq})
}

// loss takes a declared loss. A note may be written twice when its writer was
// killed between the note and what it spoke of.
func (c *checker) loss(sp span, reason string, note bool) {
	if note {
		if c.said[sp] {
			return
		}
		if c.said == nil {
			c.said = map[span]bool{}
		}
		c.said[sp] = true
	}
	c.lost = append(c.lost, declaredLoss{sp, reason})
}

// finish lays events and losses side by side.
func (c *checker) finish() Account {
	all := make([]declaredLoss, 0, len(c.have)+len(c.lost))
	for _, s := range c.have {
		all = append(all, declaredLoss{s, ""})
	}
	base := c.base()
	for _, l := range c.lost {
		if l.last <= base {
			continue // its place was pruned
		}
		l.first = max(l.first, base+1)
		c.a.Lost[l.reason] += l.count()
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b declaredLoss) int { return compareUint(a.first, b.first) })
	at := base
	for _, s := range all {
		if s.first > at+1 {
			c.a.Undeclared = append(c.a.Undeclared, Range{at + 1, s.first - 1})
		}
		if s.first <= at {
			c.a.Duplicates += min(at, s.last) - s.first + 1
		}
		at = max(at, s.last)
	}
	if c.mark > at {
		c.a.Undeclared = append(c.a.Undeclared, Range{at + 1, c.mark})
		at = c.mark
	}
	if at > base {
		c.a.First, c.a.Last = base+1, at
	}
	return c.a
}

// base is the last number that was pruned: what a prune note says, unless the
// segments are still there.
func (c *checker) base() uint64 {
	first := c.mark + 1
	for _, s := range c.have {
		first = min(first, s.first)
	}
	for _, l := range c.lost {
		first = min(first, l.first)
	}
	return min(c.pruned, first-1)
}
