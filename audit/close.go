package audit

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A CloseError says what Close had to leave behind.
type CloseError struct {
	// Left is how many events were queued and not written.
	Left uint64
	// Err is why.
	Err error
}

// Error names the number and the reason.
func (e *CloseError) Error() string {
	return fmt.Sprintf("audit: close: %d events not written: %v", e.Left, e.Err)
}

// Unwrap returns the reason.
func (e *CloseError) Unwrap() error { return e.Err }

// settleTime is how long past its deadline Close may return, so that what it
// leaves is counted, and declared if the writer still takes a line.
const settleTime = 10 * time.Millisecond

// Close takes no more events, writes those that are queued, declares what was
// lost and closes the writer. If ctx ends first it gives up what is left, and
// returns a [*CloseError] within 10 ms; a writer that hangs is left behind with
// its goroutine. Without a deadline it waits for as long as a full disk stays
// full.
//
// Later calls return what the first one does, or their own context's error if
// that ends before; they do not shorten the first one's time.
func (q *Queue) Close(ctx context.Context) error {
	first := false
	q.once.Do(func() {
		first = true
		q.closeCtx = ctx
		q.ring.close()
		close(q.closing)
	})
	select {
	case <-q.done:
		return q.closeErr
	default:
	}
	select {
	case <-q.done:
		return q.closeErr
	case <-ctx.Done():
		if !first {
			return fmt.Errorf("audit: close: %w", ctx.Err())
		}
		return q.abandon(ctx.Err())
	}
}

// abandon ends the drain and gives it a moment to settle the account.
func (q *Queue) abandon(cause error) error {
	q.cancel()
	select {
	case <-q.done:
		return q.closeErr
	case <-time.After(settleTime):
		return &CloseError{Left: q.left.Load() + q.counters.Load().Queued(), Err: cause}
	}
}

// errWriterGone: the writer ended the goroutine that called it.
var errWriterGone = errors.New("the writer ended the queue's goroutine")

// ended runs when the drain's goroutine does, however it does.
func (d *drain) ended() {
	q := d.q
	if !d.finished {
		q.ring.close()
		q.closeErr = &CloseError{Left: q.counters.Load().Queued(), Err: errWriterGone}
	}
	q.health.closed()
	q.cancel()
	close(q.done)
}

// finish declares what is left to declare and closes the writer. It runs once
// everything has been taken from the queue, written or not.
func (d *drain) finish() {
	q := d.q
	ctx, cancel := d.lastContext()
	defer cancel()
	if d.hasLoss() {
		d.declare(ctx)
	}
	err := d.closeWriter(q.closeCtx)
	switch {
	case q.left.Load() > 0:
		q.closeErr = &CloseError{Left: q.left.Load(), Err: errors.Join(q.closeCtx.Err(), err)}
	case err != nil:
		q.closeErr = fmt.Errorf("audit: close writer: %w", err)
	}
	d.finished = true
}

// lastContext is Close's context, or, if that has ended, one that leaves a
// moment for the last note.
func (d *drain) lastContext() (context.Context, context.CancelFunc) {
	if d.q.closeCtx.Err() == nil {
		return context.WithCancel(d.q.closeCtx)
	}
	return context.WithTimeout(context.Background(), settleTime/2)
}

func (d *drain) closeWriter(ctx context.Context) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panicked: %v", r)
		}
	}()
	return d.q.writer.Close(ctx)
}
