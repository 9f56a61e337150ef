package dispatch

import (
	"context"
	"encoding/json"
	"time"
)

// A Tool can be called.
//
// Call returns a value that encoding/json can write, or JSON text as a
// json.RawMessage. To say how it failed it returns the error of [Fail],
// [InvalidArgs] or [Internal]; any other error is answered with code 1999. It
// may be called from many goroutines at once, has to return when ctx is done,
// and is answered TIMEOUT when it does not. It must not keep c or what c holds.
// A panic harms this call only.
type Tool interface {
	Definition() *Definition
	Call(ctx context.Context, c *Call) (any, error)
}

// A Pager is a tool whose results come in pages.
type Pager interface {
	Tool
	// Page returns the page that c.State asks for, the first where it is nil,
	// and the state that asks for the next one, at most [MaxState] bytes; nil
	// after the last page. On later pages c.Args are null unless the caller
	// repeats them.
	Page(ctx context.Context, c *Call) (result any, next []byte, err error)
}

// A Call is one call of a tool.
type Call struct {
	// ID is the call's id in the trail, a ULID.
	ID string
	// ToolID is the tool that is called.
	ToolID string
	// Args are the arguments: valid JSON without duplicate keys, which the
	// tool's schema admits.
	Args json.RawMessage
	// State is what Page returned for this page; nil on the first.
	State []byte
	// CallerID is what the caller says of itself, Principal is who it is by
	// the operating system or a token.
	CallerID, Principal string
	// Granted are the caller's capabilities, sorted.
	Granted []string
	// Tier is the latency class; ctx has its deadline.
	Tier Tier
	// MaxOutput is how many bytes of JSON the result may have. A larger one is
	// answered with an error.
	MaxOutput int
	// Dir is the server's working directory.
	Dir string
	// Secrets are the caller's; nil where there is no broker, or it has none.
	Secrets Secrets
	// Session is the caller's; see [Session.Load].
	Session *Session
}

// Remaining is how long the call may still take; 0 where its time is over.
func Remaining(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return TierDefaults[TierWarm].Timeout
	}
	return max(time.Until(deadline), 0)
}

// Decode reads the arguments into v, a pointer to a struct with json tags. It
// matches names exactly, so that what the schema admitted is what v gets. The
// error is that of InvalidArgs.
func (c *Call) Decode(v any) error { return decodeArgs(c.Args, v) }

// Func returns a tool of a function whose arguments are read into an A; see
// [Call.Decode].
func Func[A any](d Definition, call func(ctx context.Context, c *Call, args A) (any, error)) Tool {
	return &funcTool{def: d, call: func(ctx context.Context, c *Call) (any, error) {
		var args A
		if err := c.Decode(&args); err != nil {
			return nil, err
		}
		return call(ctx, c, args)
	}}
}

// A funcTool is a tool of a function.
type funcTool struct {
	def  Definition
	call func(ctx context.Context, c *Call) (any, error)
}

func (t *funcTool) Definition() *Definition { return &t.def }

func (t *funcTool) Call(ctx context.Context, c *Call) (any, error) { return t.call(ctx, c) }
