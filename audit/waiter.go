package audit

import (
	"context"
	"fmt"
)

// A waiter is a call of Record that waits for its line.
type waiter struct {
	line int // set by the stage: the line's place in its batch
	done chan error
}

func (w *waiter) wait(ctx context.Context) error {
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("audit: the event is queued, but not known to be durable: %w", ctx.Err())
	}
}
