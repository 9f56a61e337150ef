package dispatch

import (
	"context"
	"fmt"

	"github.com/tooltrail/tooltrail/audit"
)

// An IntentLog makes it known that a call is about to run, so that one which
// never ends, because the process is killed, has left a trace.
type IntentLog interface {
	// Intend returns once the intent is durable. ev is the event so far, and
	// must not be kept. Where it returns an error the call does not run.
	Intend(ctx context.Context, ev *audit.CallEvent) error
}

// intend records the intent, where the tool is one that needs it. A log that
// panics has failed.
func (c *call) intend(ctx context.Context) (err error) {
	if c.d.opts.Intents == nil || !c.d.opts.NeedsIntent(c.entry.def) {
		return nil
	}
	ctx, cancel := context.WithDeadline(ctx, c.start.Add(c.limits.Timeout))
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			c.logPanic("intent log", p)
			err = fmt.Errorf("the intent log panicked")
		}
	}()
	return c.d.opts.Intents.Intend(ctx, &c.event)
}

// IsDestructive reports whether a tool says that a call can do harm that cannot
// be undone: by its safety level, or as one of visibility dangerous.
func IsDestructive(def *Definition) bool {
	return def.Safety.Level == SafetyDestructive || def.Visibility == VisibilityDangerous
}
