package query

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"runtime"
	"sync"

	"github.com/tooltrail/tooltrail/trail"
)

// fieldsOfStats are the fields that a tally needs of each event. Since most
// have no loss, it walks lines to their end.
const fieldsOfStats = fieldsOfEvent | fieldCaller | fieldServer | fieldDuration | fieldSeq | fieldLost

// Collect adds up the events at path, a trail or a home, that the filter lets
// through. f and o may be nil; Limit and Notes have no meaning here. Bad places
// are counted and do not end it. Segments are read in parallel; the result
// does not depend on how they were shared out.
func Collect(ctx context.Context, path string, f *Filter, o *ScanOptions) (*Stats, error) {
	list, err := sources(path, f, o != nil && o.Thorough)
	if err != nil {
		return nil, err
	}
	inner, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	results := tallyAhead(inner, &running, list, f)
	var all tally
	for _, src := range list {
		var total tally
		for range src.segs {
			select {
			case result := <-results:
				total.merge(<-result)
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		total.settle()
		all.merge(&total)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return all.stats(), nil
}

// tallyAhead adds up segments, as many at once as there are processors, and
// returns a channel that gives one result for each, in order. Everything ends
// with ctx.
func tallyAhead(ctx context.Context, running *sync.WaitGroup, list []source, f *Filter) <-chan chan *tally {
	ahead := runtime.GOMAXPROCS(0)
	results := make(chan chan *tally, ahead)
	slots := make(chan struct{}, ahead)
	running.Go(func() {
		for _, src := range list {
			for _, seg := range src.segs {
				select {
				case slots <- struct{}{}:
				case <-ctx.Done():
					return
				}
				result := make(chan *tally, 1)
				running.Go(func() {
					result <- newCounter(f).segment(ctx, seg)
					<-slots
				})
				select {
				case results <- result:
				case <-ctx.Done():
					return
				}
			}
		}
	})
	return results
}

// A counter fills tallies.
type counter struct {
	*matcher
	since, until int64
	tally        *tally
}

func newCounter(f *Filter) *counter {
	c := &counter{matcher: newMatcher(f)}
	c.need |= fieldsOfStats
	c.since, c.until = f.nanoRange()
	return c
}

// segment adds up one segment.
func (c *counter) segment(ctx context.Context, seg trail.Segment) *tally {
	c.tally = new(tally)
	r, err := openBlocks(seg)
	if errors.Is(err, fs.ErrNotExist) {
		return c.tally // pruned since it was listed
	}
	if err != nil {
		c.tally.bad(&trail.CorruptError{Segment: seg.Path, Line: seg.First, Err: err})
		return c.tally
	}
	defer r.close()
	for ctx.Err() == nil {
		b, err := r.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			c.tally.bad(asCorrupt(seg, err))
			if isSkipped(err) {
				continue
			}
			break
		}
		c.block(r, b)
		b.release()
	}
	return c.tally
}

func asCorrupt(seg trail.Segment, err error) *trail.CorruptError {
	var c *trail.CorruptError
	if errors.As(err, &c) {
		return c
	}
	return &trail.CorruptError{Segment: seg.Path, Line: seg.First, Err: err}
}

func (c *counter) block(r *blockReader, b block) {
	r.eachLine(b, func(line []byte, index uint64, at int) bool {
		kind, err := trail.Unknown, errLongLine
		if len(line) < trail.MaxLine {
			kind, err = c.parse(line), ErrNotOurs
		}
		if kind == trail.Unknown {
			c.tally.bad(&trail.CorruptError{Segment: r.seg.Path, Line: index, Offset: b.offset + int64(at), Err: err})
			return true
		}
		if kind != trail.Redacted {
			c.line(line, kind)
		}
		return true
	})
}

// line counts an event or a note, and the losses that it declares.
func (c *counter) line(line []byte, kind trail.Kind) {
	if c.has(fieldLost) && c.within() {
		if l, ok := c.loss(); ok && kind == trail.Note {
			c.tally.notes = append(c.tally.notes, l)
		} else if ok {
			c.tally.lose(l.reason, l.count)
		}
	}
	switch {
	case !c.match(line, kind):
	case kind == trail.Note:
		c.tally.Notes++
	default:
		c.tally.event(c.matcher, line)
	}
}

// within reports whether the line lies in the filter's times.
func (c *counter) within() bool {
	if !c.has(fieldTime) {
		return true
	}
	return c.when >= c.since && c.when < c.until
}
