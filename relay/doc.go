// Package relay puts an audit in front of an MCP server, with no change to
// client or server. Frames pass untouched, byte for byte, both ways; the relay
// looks at them as they pass and sends one [audit.CallEvent] for each
// tools/call, whatever becomes of it.
//
//	o := relay.New(&relay.Options{Sink: queue, Server: "files", Transport: audit.TransportStdio})
//	go o.PumpClient(serverStdin, os.Stdin)
//	err := o.PumpServer(os.Stdout, serverStdout)
//	o.Close(relay.EndServerExited)
//
// An [Observer] is the core: frames in, events out. [Tap] feeds it a stream in
// pieces, [Pump] copies a stream and shows each piece to a Tap, and
// [Observer.PumpClient] and [Observer.PumpServer] are the two directions of
// the stdio front. A server's stream may be written before it is observed, a
// client's must be observed before it is written, so that a call is known
// before its reply can come.
//
// # What is a call
//
// Every JSON-RPC request tools/call is one event: each member of a batch, each
// of several with the same id (replies are taken in order), one whose id
// cannot be answered ([CodeUnanswerable], at once), one that a client spells
// with escapes, with several keys of the same name, with keys that differ in
// case only, or over several lines. Where parsers may read a message in two
// ways, the event carries [audit.FlagAmbiguousKeys]; the last of several keys
// gives the event its value, and a method that says tools/call in any of them
// makes a call.
//
// A request that becomes a task, or is answered by input_required, has not
// ended: the event comes with the final result and covers the whole time. A
// retry after input_required is linked by its requestState, or by the tool's
// name where there is none, and belongs to the same event, which keeps the id
// of the first request. A task whose final status came but whose result nobody
// fetched is recorded by its status when the connection ends or time runs out.
//
// # How calls end
//
// decided_by in parentheses; the rules follow what the Go SDK, the TypeScript
// SDKs 1.x and 2.x, mcp-go and the Python SDK were seen to send.
//
//	success            a result without isError (tool)
//	tool_not_found     error -32602 or isError, and the name is absent from the
//	                   tools that the server listed, or the text says so (dispatcher)
//	invalid_args       error -32602 otherwise; -32600, -32603 or isError whose
//	                   text is a framework's word for it (dispatcher), or with
//	                   arguments that the tool's listed schema refuses (tool)
//	execution_failed
//	  TOOL_ERROR         another isError (tool)
//	  RPC_<code>         another JSON-RPC error (dispatcher for the codes that
//	                     JSON-RPC reserves but -32603, else tool); retryable
//	                     for -32000 and -32001
//	                     (-32602 too, where it finds fault with the tool's result)
//	  CANCELLED          notifications/cancelled, tasks/cancel (client), or a task
//	                     that the server cancelled (dispatcher); retryable
//	  TIMEOUT            no reply within Options.Timeout (transport), or a cancel
//	                     whose reason says so (client); retryable
//	  SERVER_EXITED      the server ended, between frames or in one (transport);
//	                     retryable
//	  SERVER_UNREACHABLE it could not be reached (transport); retryable
//	  CLIENT_GONE        the client ended (client); retryable
//	  ABANDONED          we were stopped, or had to give the call up: too many
//	                     were in flight (transport); retryable
//	  UNANSWERABLE       the request has no id that can be answered (client)
//
// A reply that comes after a call has ended changes nothing. The server's list
// of tools counts once all of its pages have passed, and until the server says
// that it changed; past its ttlMs it no longer shows that a tool is absent.
// capability_denied and rate_limited are never the wire's.
//
// The message of invalid_args is the server's text, up to 4 KiB; servers may
// quote arguments in it. Otherwise an event holds sizes and keyed digests of
// arguments and results, not their content.
//
// # Limits
//
// What is kept is bounded whatever passes: 65,536 calls in flight, 1 MiB of
// arguments a call and 16 MiB in all (larger ones are digested as they pass),
// 10,000 tools with 8 MiB of schemas, 256 early states of tasks. A frame of any
// size streams through in constant memory.
package relay
