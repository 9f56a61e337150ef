package trail_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/trail"
)

// A process takes a slot of the home, puts a queue in front of it and records.
// Whoever reads the home sees the trails of all processes as one.
func Example() {
	dir, err := os.MkdirTemp("", "trail")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	home, err := trail.OpenHome(filepath.Join(dir, "home"))
	if err != nil {
		log.Fatal(err)
	}
	t, err := home.Open("filesystem", nil)
	if err != nil {
		log.Fatal(err)
	}
	q := audit.NewQueue(t, &audit.QueueOptions{FirstSeq: t.NextSeq(), Counters: t.Counters()})
	q.OnCall(&audit.CallEvent{ToolID: "read_file", Outcome: audit.Success()})
	if err := q.Close(context.Background()); err != nil {
		log.Fatal(err)
	}

	for line, err := range trail.Read(home.Dir(), nil) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(line.Trail, line.Index, line.Kind())
	}
	// Output:
	// filesystem 0 note
	// filesystem 1 event
	// filesystem 2 note
}
