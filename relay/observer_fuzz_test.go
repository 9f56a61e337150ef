package relay

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tooltrail/tooltrail/audit"
)

// FuzzObserver plays anything as a transcript and holds the observer to its
// account: as many events as calls, none in flight at the end, and each event
// with an outcome. The transcripts of testdata are the seeds.
func FuzzObserver(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txtar")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		wire, _, _ := strings.Cut(string(text), eventsMark)
		f.Add([]byte(wire), uint8(0))
		f.Add([]byte(wire), uint8(7))
	}
	f.Fuzz(func(t *testing.T, wire []byte, n uint8) {
		var rec recorder
		o := New(&Options{Sink: &rec, MaxInFlight: 5, MACKey: []byte("k"), Logger: failOnLog(t)})
		client, server := o.ClientTap(), o.ServerTap()
		begun := 0
		for line := range bytes.Lines(wire) {
			if len(line) < 2 {
				continue
			}
			before := len(rec.all()) + o.InFlight()
			show(client, server, line, int(n))
			if line[0] == '>' {
				begun += len(rec.all()) + o.InFlight() - before
			}
		}
		o.Close(EndStopped)
		if got := len(rec.all()); got != begun || o.InFlight() != 0 {
			t.Fatalf("%d calls, %d events, %d in flight", begun, got, o.InFlight())
		}
		if tr := &o.track; tr.count != 0 || tr.argBytes != 0 || len(tr.tasks) != 0 || len(tr.waiting) != 0 {
			t.Fatalf("left: %d calls, %d bytes, %d tasks, %d waiting", tr.count, tr.argBytes, len(tr.tasks), len(tr.waiting))
		}
		for _, ev := range rec.all() {
			if ev.Outcome.Kind == 0 || ev.DecidedBy == audit.ByUnknown || ev.CallID == "" {
				t.Fatalf("event %+v", ev)
			}
		}
	})
}

// show passes a line on in pieces of n bytes, or whole.
func show(client, server *Tap, line []byte, n int) {
	tap := server
	if line[0] == '>' {
		tap = client
	}
	line = line[1:]
	if n == 0 {
		n = len(line)
	}
	for len(line) > 0 {
		k := min(n, len(line))
		tap.Observe(line[:k])
		line = line[k:]
	}
}
