package query

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"math"
	"runtime"
	"sync"

	"github.com/tooltrail/tooltrail/trail"
)

// ScanOptions narrow what [Scan] and [Collect] read. The zero value yields
// every event that the filter lets through.
type ScanOptions struct {
	// Limit is how many lines are yielded at most: the newest. They are held
	// in memory. 0 means all.
	Limit int
	// Notes adds the notes that the filter lets through.
	Notes bool
	// Thorough reads every segment. Otherwise those whose first and last lines
	// lie more than an hour outside since: and until: are passed over, which
	// can miss lines of a clock that was wrong for a while within a segment.
	Thorough bool
}

// Scan yields the lines that the filter lets through, oldest first. path is a
// trail or a home, whose trails are merged by time; lines of one trail keep
// their order, whatever its clock did. f and o may be nil. A line's bytes are
// valid only until the iteration goes on.
//
// Errors come with a zero Line. After a [*trail.CorruptError], which is also
// what a line that is not ours becomes (see [ErrNotOurs]), the scan goes on
// behind the bad place; after any other error it is over. With a Limit, errors
// come first.
//
// The unfinished end of a live trail is left out. Segments are read by as many
// goroutines as there are processors; all of them have ended when the
// iteration has.
func Scan(ctx context.Context, path string, f *Filter, o *ScanOptions) iter.Seq2[trail.Line, error] {
	opts := ScanOptions{}
	if o != nil {
		opts = *o
	}
	return func(yield func(trail.Line, error) bool) {
		list, err := sources(path, f, opts.Thorough)
		if err != nil {
			yield(trail.Line{}, err)
			return
		}
		if opts.Limit > 0 {
			newest(ctx, list, f, opts, yield)
			return
		}
		inner, cancel := context.WithCancel(ctx)
		var running sync.WaitGroup
		defer running.Wait()
		defer cancel()
		heads := make([]*head, len(list))
		for i, src := range list {
			heads[i] = &head{name: src.name, when: math.MinInt64}
			heads[i].segments = readAhead(inner, &running, src.segs, f, opts.Notes, aheadOf(len(list)))
		}
		merge(ctx, heads, yield)
	}
}

// aheadOf is how many segments of one trail are read at once, where n trails
// are. The trails of a home are read side by side.
func aheadOf(n int) int { return max(1, (runtime.GOMAXPROCS(0)+n-1)/n) }

// A hit is a line that is to be yielded, or an error in its place.
type hit struct {
	err   error
	index uint64
	at    int // offset in the block
	size  int
	when  int64
	timed bool
}

// A batch is a block and what was found in it.
type batch struct {
	block
	segment string
	hits    []hit
}

// batchesAhead is how many batches a segment's goroutine may be ahead.
const batchesAhead = 4

// readAhead reads segments, ahead of them at once, and returns a channel that
// gives one channel of batches for each, in order. Everything ends with ctx.
func readAhead(ctx context.Context, running *sync.WaitGroup, segs []trail.Segment, f *Filter, notes bool, ahead int) <-chan chan batch {
	segments := make(chan chan batch, ahead-1)
	slots := make(chan struct{}, ahead)
	running.Go(func() {
		defer close(segments)
		for _, seg := range segs {
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				return
			}
			out := make(chan batch, batchesAhead)
			running.Go(func() {
				defer func() { <-slots }()
				defer close(out)
				filterSegment(ctx, seg, newMatcher(f), notes, out)
			})
			select {
			case segments <- out:
			case <-ctx.Done():
				return
			}
		}
	})
	return segments
}

// filterSegment sends what a segment holds.
func filterSegment(ctx context.Context, seg trail.Segment, m *matcher, notes bool, out chan<- batch) {
	send := func(b batch) bool {
		select {
		case out <- b:
			return true
		case <-ctx.Done():
			return false
		}
	}
	r, err := openBlocks(seg)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		send(batch{segment: seg.Path, hits: []hit{{err: &trail.CorruptError{Segment: seg.Path, Line: seg.First, Err: err}}}})
		return
	}
	defer r.close()
	for ctx.Err() == nil {
		b, err := r.next()
		if err == io.EOF {
			return
		}
		if err != nil {
			if !send(batch{hits: []hit{{err: err}}}) || !isSkipped(err) {
				return
			}
			continue
		}
		hits := m.filterBlock(r, b, notes)
		if len(hits) == 0 {
			b.release()
			continue
		}
		if !send(batch{b, seg.Path, hits}) {
			return
		}
	}
}

// filterBlock returns what is to be yielded of a block.
func (m *matcher) filterBlock(r *blockReader, b block, notes bool) (hits []hit) {
	r.eachLine(b, func(line []byte, index uint64, at int) bool {
		kind := trail.Unknown
		err := errLongLine
		if len(line) < trail.MaxLine {
			kind, err = m.parse(line), ErrNotOurs
		}
		switch {
		case kind == trail.Unknown:
			hits = append(hits, hit{err: &trail.CorruptError{Segment: r.seg.Path, Line: index, Offset: b.offset + int64(at), Err: err}})
		case kind == trail.Redacted, kind == trail.Note && !notes || !m.match(line, kind):
		default:
			hits = append(hits, hit{index: index, at: at, size: len(line), when: m.when, timed: m.has(fieldTime)})
		}
		return true
	})
	return hits
}
