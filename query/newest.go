package query

import (
	"context"
	"math"
	"slices"
	"sync"

	"github.com/tooltrail/tooltrail/trail"
)

// newest yields the last lines of all that pass, oldest of them first. Each
// trail is read from its newest segment back until it has given enough.
func newest(ctx context.Context, list []source, f *Filter, opts ScanOptions, yield func(trail.Line, error) bool) {
	tails := make([]tail, len(list))
	var reading sync.WaitGroup
	slots := make(chan struct{}, aheadOf(1))
	for i, src := range list {
		reading.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			tails[i].read(ctx, src, f, opts, aheadOf(len(list)))
		})
	}
	reading.Wait()
	if err := ctx.Err(); err != nil {
		yield(trail.Line{}, err)
		return
	}
	var all []keptLine
	for i := range tails {
		for _, err := range slices.Backward(tails[i].errs) {
			if !yield(trail.Line{}, err) {
				return
			}
		}
		all = append(all, tails[i].rising()...)
	}
	slices.SortStableFunc(all, func(a, b keptLine) int {
		switch {
		case a.when < b.when:
			return -1
		case a.when > b.when:
			return 1
		}
		return 0
	})
	for _, k := range all[max(0, len(all)-opts.Limit):] {
		if !yield(k.line, nil) {
			return
		}
	}
}

// A keptLine is a line with memory of its own.
type keptLine struct {
	line trail.Line
	when int64
}

// A tail is what the end of one trail gave.
type tail struct {
	lines [][]keptLine // by segment, the newest segment first
	errs  []error      // the newest segment's first
	count int
}

// read collects at most opts.Limit lines.
func (t *tail) read(ctx context.Context, src source, f *Filter, opts ScanOptions, ahead int) {
	inner, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	back := slices.Clone(src.segs)
	slices.Reverse(back)
	for batches := range readAhead(inner, &running, back, f, opts.Notes, ahead) {
		t.segment(inner, src.name, batches, opts.Limit-t.count)
		if t.count >= opts.Limit {
			return
		}
	}
}

// segment keeps the last n lines of one segment.
func (t *tail) segment(ctx context.Context, name string, batches <-chan batch, n int) {
	var ring []keptLine
	var errs []error
	total := 0
	h := head{name: name, batches: batches}
	for ctx.Err() == nil {
		b, ok := <-batches
		if !ok {
			break
		}
		h.batch = b
		for h.next = range b.hits {
			line, err := h.line()
			if err != nil {
				errs = append(errs, err)
				continue
			}
			if len(ring) < n {
				ring = append(ring, keptLine{})
			}
			ring[total%n].keep(line, b.hits[h.next])
			total++
		}
		h.batch.release()
	}
	if total > n {
		ring = slices.Concat(ring[total%n:], ring[:total%n])
	}
	slices.Reverse(errs)
	t.errs = append(t.errs, errs...)
	t.lines = append(t.lines, ring)
	t.count += len(ring)
}

// keep copies a line into the memory of the one it replaces.
func (k *keptLine) keep(line trail.Line, c hit) {
	buf := append(k.line.Bytes[:0], line.Bytes...)
	k.line = line
	k.line.Bytes = buf
	k.when = math.MinInt64
	if c.timed {
		k.when = c.when
	}
}

// rising returns the lines in order. Their times are made to rise, so that
// sorting keeps the order of the trail.
func (t *tail) rising() []keptLine {
	var list []keptLine
	for _, seg := range slices.Backward(t.lines) {
		list = append(list, seg...)
	}
	for i := 1; i < len(list); i++ {
		list[i].when = max(list[i].when, list[i-1].when)
	}
	return list
}
