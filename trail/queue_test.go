package trail

import (
	"context"

	"github.com/tooltrail/tooltrail/audit"
)

// A stuckWriter never accepts anything.
type stuckWriter struct{}

func (*stuckWriter) Write(ctx context.Context, _ audit.Batch) error {
	<-ctx.Done()
	return ctx.Err()
}

func (*stuckWriter) Close(context.Context) error { return nil }
