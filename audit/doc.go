// Package audit records tool calls: one structured event for each call, at
// every return point and for every outcome, observed from outside the code that
// runs the tool.
//
//	sink := audit.Stdout(nil)
//	defer sink.Close(context.Background())
//
//	start := time.Now()
//	result, err := tool.Run(args)
//	ev := audit.CallEvent{Time: time.Now(), CallID: audit.NewCallID(), ToolID: "fs.read",
//		CallerID: "agent-A", Duration: time.Since(start), Outcome: audit.Success()}
//	if err != nil {
//		ev.Outcome = audit.ExecutionFailed("IO", true)
//	}
//	sink.OnCall(&ev)
//
// A [Sink] is one method that never blocks. A [Queue] turns a [Writer], which
// may be slow, fail or hang, into a sink: it copies the event into a bounded
// ring and returns; a goroutine of its own encodes the events as JSON lines
// and writes them in batches. By default losing an event beats stalling a
// call, but every loss is counted and declared in the stream itself: events are
// numbered, lost ones too. Who must not lose chooses [Block], or [Queue.Record],
// which returns once the event is durable.
//
// The package imports the standard library only.
package audit
