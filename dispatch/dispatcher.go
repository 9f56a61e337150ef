package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tooltrail/tooltrail/audit"
)

// Options configure a Dispatcher. The zero value is the documented default.
type Options struct {
	// Sink observes the calls. nil means that nothing is recorded.
	Sink audit.Sink
	// Name is the server's name in the trail.
	Name string
	// Version is what HelloAck says, such as "tooltrail 0.4.0".
	Version string
	// Allow are the capabilities that a caller gets if it asks for them.
	Allow []string
	// Tiers change the limits of tiers.
	Tiers map[Tier]Limits
	// Dir is the working directory that tools see.
	Dir string
	// Middleware sees each result and each error before the caller does, in
	// this order.
	Middleware []Middleware
	// Broker finds the secrets of callers. nil means there are none.
	Broker Broker
	// Tokens verifies capability tokens. nil refuses them.
	Tokens TokenVerifier
	// CursorKey signs cursors, with 32 bytes or more. nil means a random key,
	// so that cursors end with the process.
	CursorKey []byte
	// CursorTTL is how long a cursor holds. 0 means DefaultCursorTTL.
	CursorTTL time.Duration
	// Intents makes it known, before a tool runs, that it is about to. nil
	// means that nothing does.
	Intents IntentLog
	// NeedsIntent says which calls have to be made known. nil means those of
	// tools whose safety level is Destructive, and of visibility dangerous.
	NeedsIntent func(*Definition) bool
	// MACKey is the key of args_mac and result_mac. nil leaves them out.
	MACKey []byte
	// Logger hears of panics and of events that cannot be recorded. nil means
	// nobody does.
	Logger *slog.Logger
}

// A Dispatcher answers requests. Its methods are safe for concurrent use.
type Dispatcher struct {
	registry *Registry
	opts     Options
	limits   [3]Limits // in the order of Tiers
	tokens   TokenVerifier
	cursors  *cursors
	macs     *sync.Pool // of hash.Hash; nil where there is no key
	metrics  metrics
}

// New returns a dispatcher of the tools in r. o may be nil.
func New(r *Registry, o *Options) (*Dispatcher, error) {
	d := &Dispatcher{registry: r, tokens: noTokens{}}
	if o != nil {
		d.opts = *o
	}
	d.opts.Allow = slices.Sorted(slices.Values(d.opts.Allow))
	d.opts.Allow = slices.Compact(d.opts.Allow)
	if d.opts.Sink == nil {
		d.opts.Sink = audit.Discard
	}
	if d.opts.Version == "" {
		d.opts.Version = "tooltrail"
	}
	if d.opts.Logger == nil {
		d.opts.Logger = slog.New(slog.DiscardHandler)
	}
	if d.opts.NeedsIntent == nil {
		d.opts.NeedsIntent = IsDestructive
	}
	if d.opts.Tokens != nil {
		d.tokens = d.opts.Tokens
	}
	if n := len(d.opts.CursorKey); n > 0 && n < 32 {
		return nil, fmt.Errorf("dispatch: a cursor key has 32 bytes or more, not %d", n)
	}
	if d.opts.CursorTTL < 0 {
		return nil, errors.New("dispatch: the cursors' time to live is negative")
	}
	var err error
	if d.limits, err = tierLimits(d.opts.Tiers); err != nil {
		return nil, err
	}
	d.cursors = newCursors(d.opts.CursorKey, d.opts.CursorTTL)
	d.macs = newMACs(d.opts.MACKey)
	return d, nil
}

// Handle answers one request of a session. It never panics and never waits for
// longer than the tier's deadline, a broker, and an intent take. A call whose
// caller has left is ended by cancelling ctx, with ErrClientGone as its cause.
func (d *Dispatcher) Handle(ctx context.Context, s *Session, r Request) Response {
	d.metrics.requests.Add(1)
	reply := d.handle(ctx, s, r)
	if e, refused := reply.(*Error); refused {
		d.metrics.refused(e.Code)
	}
	return reply
}

func (d *Dispatcher) handle(ctx context.Context, s *Session, r Request) Response {
	switch r := r.(type) {
	case *RunTool:
		return d.runTool(ctx, s, r)
	case *RunToolContinue:
		return d.continueTool(ctx, s, r)
	case Ping:
		return Pong{}
	case Hello:
		return d.hello(s, r)
	case ToolList:
		return Tools{d.registry.shown}
	case ToolSchema:
		return d.schema(r)
	}
	return &Error{Code: CodeMalformed, Message: fmt.Sprintf("there is no request %T", r)}
}

func (d *Dispatcher) hello(s *Session, h Hello) Response {
	g, err := d.grant(h)
	if err != nil {
		return err
	}
	s.grant.Store(g)
	return &HelloAck{GrantedCapabilities: g.capabilities, ServerVersion: d.opts.Version, SupportedTiers: Tiers}
}

func (d *Dispatcher) schema(r ToolSchema) Response {
	e := d.registry.entries[r.ToolID]
	if e == nil {
		return notFound(r.ToolID)
	}
	return Schema{e.def}
}

func notFound(id string) *Error { return &Error{Message: "tool not found: " + clip(id)} }
