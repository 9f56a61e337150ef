package audit_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/tooltrail/tooltrail/audit"
)

func Example() {
	sink := audit.New(os.Stdout, nil)
	sink.OnCall(&audit.CallEvent{
		Time:     time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC),
		CallID:   "01KSSVP14J4MS4RTCZJ1GGBCG8",
		ToolID:   "fs.read",
		CallerID: "agent-A",
		Duration: 3 * time.Millisecond,
		Outcome:  audit.ExecutionFailed("NOT_FOUND", false),
	})
	if err := sink.Close(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {"ts":"2026-11-24T09:30:00+00:00","call_id":"01KSSVP14J4MS4RTCZJ1GGBCG8","tool_id":"fs.read","caller_id":"agent-A","granted_capabilities":[],"duration_ms":3,"outcome":{"kind":"execution_failed","code":"NOT_FOUND","retryable":false},"tier":"warm","dry_run":false,"schema_version":4,"secrets_resolved":false,"seq":1,"duration_us":3000}
}

func ExampleQueue_Record() {
	path := os.TempDir() + "/audit-example.jsonl"
	defer os.Remove(path)
	sink, err := audit.OpenFile(path, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sink.Close(context.Background())

	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err = sink.Record(ctx, &audit.CallEvent{CallID: audit.NewCallID(), ToolID: "payments.send", Outcome: audit.Success()})
	fmt.Println("on disk:", err == nil)
	// Output: on disk: true
}
