package query

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/tooltrail/tooltrail/audit"
)

// benchBytes is how much a benchmark's trail holds: one full segment.
const benchBytes = 64 << 20

// benchTrail makes a trail of one segment, and returns it and its size.
func benchTrail(b *testing.B) (dir string, size int64) {
	dir = filepath.Join(b.TempDir(), "bench")
	if err := os.Mkdir(dir, 0o700); err != nil {
		b.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, "00000000000000000000.jsonl"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	r := rand.New(rand.NewPCG(1, 2))
	var line []byte
	for i := 0; size < benchBytes; i++ {
		line = append(benchEvent(r, i).AppendJSON(line[:0]), '\n')
		w.Write(line)
		size += int64(len(line))
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	return dir, size
}

// benchEvent is an event as the relay makes them: nine of ten succeed.
func benchEvent(r *rand.Rand, i int) *audit.CallEvent {
	ev := someEvent(r, i)
	ev.ToolID = testTools[r.IntN(4)]
	ev.CallerID, ev.Server = "inspector", testServers[1+r.IntN(2)]
	ev.Args = ""
	ev.ArgsBytes, ev.ResultBytes = int64(r.IntN(1000)), int64(r.IntN(10_000))
	ev.RequestID = fmt.Sprint(i)
	ev.Client = "inspector-client/0.15.0"
	if r.IntN(10) > 0 {
		ev.Outcome = audit.Success()
	}
	return ev
}

// BenchmarkScan measures filters over one segment, which one core reads.
func BenchmarkScan(b *testing.B) {
	dir, size := benchTrail(b)
	for _, c := range []struct{ name, words string }{
		{"tool", "tool:fs.read"},
		{"tool-none", "tool:absent"},
		{"outcome", "outcome:error"},
		{"since", "since:2026-11-25T12:00:00Z"},
		{"word", "timeout"},
		{"server", "server:memory"},
		{"all", ""},
	} {
		b.Run(c.name, func(b *testing.B) {
			f := mustParse(b, c.words)
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				for _, err := range Scan(b.Context(), dir, f, nil) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// BenchmarkCollect measures the statistics of one segment.
func BenchmarkCollect(b *testing.B) {
	dir, size := benchTrail(b)
	for _, c := range []struct{ name, words string }{{"all", ""}, {"tool", "tool:fs.read"}} {
		b.Run(c.name, func(b *testing.B) {
			f := mustParse(b, c.words)
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				s, err := Collect(b.Context(), dir, f, nil)
				if err != nil || s.Events == 0 || s.Bad != 0 {
					b.Fatal(s, err)
				}
			}
		})
	}
}
