package audit

import (
	"bytes"
	"context"
	"fmt"
	"iter"
)

// A Writer takes encoded lines in order, from one goroutine at a time.
//
// Write returns nil once the whole batch is accepted. The batch's bytes are
// valid only during the call. An error that is not a [*WriteError] means that
// nothing was accepted and that trying again is no use: the lines are lost,
// and the [Queue] counts and declares them.
//
// Close flushes what Write accepted and releases the writer, within ctx.
type Writer interface {
	Write(ctx context.Context, batch Batch) error
	Close(ctx context.Context) error
}

// A Syncer is a [Writer] that can make accepted lines durable. Sync returns
// once every line accepted before the call has reached stable storage. It is
// called by the goroutine that calls Write.
type Syncer interface {
	Sync(ctx context.Context) error
}

// A Batch is a run of encoded lines.
type Batch struct {
	// Bytes holds the lines back to back; each ends in '\n' and has no other.
	Bytes []byte
	// Lines is how many there are.
	Lines int
}

// All yields the lines in order, without their '\n'.
func (b Batch) All() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for rest := b.Bytes; len(rest) > 0; {
			n := bytes.IndexByte(rest, '\n')
			if n < 0 {
				return
			}
			if !yield(rest[:n]) {
				return
			}
			rest = rest[n+1:]
		}
	}
}

// Skip returns the batch without its first n lines.
func (b Batch) Skip(n int) Batch {
	n = min(n, b.Lines)
	rest := b.Bytes
	for range n {
		rest = rest[bytes.IndexByte(rest, '\n')+1:]
	}
	return Batch{Bytes: rest, Lines: b.Lines - n}
}

// A WriteError says how much of a batch was accepted before Err, and whether
// the rest is worth another try.
type WriteError struct {
	// Lines is how many whole lines, from the first, were accepted.
	Lines int
	// Retry says that the same lines may be accepted later: the disk is full,
	// the destination is away. The [Queue] keeps the rest and tries again,
	// first after 10 ms and in the end once a second.
	Retry bool
	// Err is the cause.
	Err error
}

// Error names the cause and how much was accepted.
func (e *WriteError) Error() string {
	return fmt.Sprintf("accepted %d lines: %v", e.Lines, e.Err)
}

// Unwrap returns the cause.
func (e *WriteError) Unwrap() error { return e.Err }
