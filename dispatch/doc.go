// Package dispatch calls tools, and records every call: whatever ends one, a
// result, a refusal, a deadline, a panic or a client that leaves, exactly one
// event says so before the answer is given.
//
//	registry, err := dispatch.NewRegistry(dispatch.Func(
//		dispatch.Definition{ID: "demo:greet", InputSchema: json.RawMessage(`{"type":"object","required":["name"]}`)},
//		func(ctx context.Context, c *dispatch.Call, args struct{ Name string `json:"name"` }) (any, error) {
//			return "Hello, " + args.Name, nil
//		}))
//	d, err := dispatch.New(registry, &dispatch.Options{Sink: sink})
//	reply := d.Handle(ctx, dispatch.NewSession(nil), &dispatch.RunTool{ToolID: "demo:greet", Args: args})
//
// A call goes through these steps, and the first that refuses ends it: the tool
// is looked up, the caller's capabilities are held against the tool's, a permit
// is taken if the tool limits its calls, a broker finds the caller's secrets,
// the arguments are held against the tool's schema, an intent is made durable
// where that is asked for, and the tool runs, in a goroutine of its own, until
// its tier's deadline. Ping, Hello, ToolList and ToolSchema make no event.
//
// The package knows no transport. Package atd puts the wire of ATD (Agent Tool
// Dispatch) in front of it, whose rules it follows; docs/formats/atd.md says
// where it differs.
package dispatch
