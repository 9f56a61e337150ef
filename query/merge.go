package query

import (
	"context"

	"github.com/tooltrail/tooltrail/trail"
)

// A head is the next line of one trail.
type head struct {
	name     string
	segments <-chan chan batch // nil at the end
	batches  <-chan batch      // of the current segment; nil between two
	batch    batch
	next     int   // index in batch.hits
	when     int64 // its time, by which trails are merged
}

// advance moves to the next hit. It returns false at the end of the trail, or
// of ctx.
func (h *head) advance(ctx context.Context) bool {
	for h.next++; h.next >= len(h.batch.hits); h.next = 0 {
		h.batch.release()
		h.batch = batch{}
		if !h.receive(ctx) {
			h.segments = nil
			return false
		}
	}
	if c := &h.batch.hits[h.next]; c.timed {
		h.when = c.when // a line without a time goes with the one before it
	}
	return true
}

// receive takes the next batch. It returns false when there is none.
func (h *head) receive(ctx context.Context) bool {
	for {
		if h.batches == nil {
			select {
			case batches, ok := <-h.segments:
				if !ok {
					return false
				}
				h.batches = batches
			case <-ctx.Done():
				return false
			}
		}
		select {
		case b, ok := <-h.batches:
			if ok {
				h.batch = b
				return true
			}
			h.batches = nil
		case <-ctx.Done():
			return false
		}
	}
}

// line returns the current hit as it is yielded.
func (h *head) line() (trail.Line, error) {
	c := &h.batch.hits[h.next]
	if c.err != nil {
		return trail.Line{}, c.err
	}
	return trail.Line{
		Trail:   h.name,
		Index:   c.index,
		Segment: h.batch.segment,
		Offset:  h.batch.offset + int64(c.at),
		Bytes:   h.batch.data[c.at : c.at+c.size : c.at+c.size],
	}, nil
}

// merge yields the lines of all heads by time, of equal times those of the
// first head first.
func merge(ctx context.Context, heads []*head, yield func(trail.Line, error) bool) {
	live := make([]*head, 0, len(heads))
	for _, h := range heads {
		h.next = -1
		if h.advance(ctx) {
			live = append(live, h)
		}
	}
	for len(live) > 0 && ctx.Err() == nil {
		first := 0
		for i, h := range live {
			if h.when < live[first].when {
				first = i
			}
		}
		h := live[first]
		if !yield(h.line()) {
			return
		}
		if !h.advance(ctx) {
			live = append(live[:first], live[first+1:]...)
		}
	}
	if err := ctx.Err(); err != nil {
		yield(trail.Line{}, err)
	}
}
