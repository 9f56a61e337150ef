package audit

import (
	"context"
	"fmt"
	"time"
)

// A waiter is a call of Record that waits for its line.
type waiter struct {
	line int // set by the stage: the line's place in its batch
	done chan error
}

// wait returns what becomes of the line, or gives up when ctx ends or the
// queue has been abandoned.
func (w *waiter) wait(ctx context.Context, abandoned <-chan struct{}) error {
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("audit: the event is queued, but not known to be durable: %w", ctx.Err())
	case <-abandoned:
	}
	select {
	case err := <-w.done:
		return err
	case <-time.After(settleTime):
		return fmt.Errorf("%w before the event was known to be durable", ErrClosed)
	}
}
