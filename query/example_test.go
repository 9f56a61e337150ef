package query_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/query"
)

func Example() {
	home, err := os.MkdirTemp("", "trail")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(home)
	lines := `{"ts":"2026-11-24T09:30:00+00:00","call_id":"01A","tool_id":"fs.read","outcome":{"kind":"success"},"duration_us":900}
{"ts":"2026-11-24T09:30:01+00:00","call_id":"01B","tool_id":"fs.write","outcome":{"kind":"tool_not_found"},"duration_us":12}
`
	if err := os.WriteFile(filepath.Join(home, "00000000000000000000.jsonl"), []byte(lines), 0o600); err != nil {
		log.Fatal(err)
	}

	f, err := query.Parse([]string{"tool:fs.*", "outcome:error"}, time.Now())
	if err != nil {
		log.Fatal(err)
	}
	for line, err := range query.Scan(context.Background(), home, f, nil) {
		if err != nil {
			log.Print(err)
			continue
		}
		ev, err := audit.Decode(line.Bytes)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(line.Index, ev.ToolID, ev.Outcome.Kind)
	}
	stats, err := query.Collect(context.Background(), home, nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(stats.Events, "calls,", stats.Errors, "failed, longest", stats.Durations.Max())
	// Output:
	// 1 fs.write tool_not_found
	// 2 calls, 1 failed, longest 900µs
}
