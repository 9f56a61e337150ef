package dispatch

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/tooltrail/tooltrail/audit"
)

// BenchmarkRun is a call of a tool that returns its arguments, without a
// transport and without a trail.
func BenchmarkRun(b *testing.B) {
	registry, err := NewRegistry(&funcTool{
		def:  Definition{ID: "echo", InputSchema: json.RawMessage(`{"type":"object"}`)},
		call: func(_ context.Context, c *Call) (any, error) { return c.Args, nil },
	})
	if err != nil {
		b.Fatal(err)
	}
	for name, key := range map[string][]byte{"plain": nil, "digests": make([]byte, 32)} {
		b.Run(name, func(b *testing.B) {
			d, err := New(registry, &Options{Sink: audit.Discard, MACKey: key})
			if err != nil {
				b.Fatal(err)
			}
			s, ctx := NewSession(nil), context.Background()
			args := json.RawMessage(`{"text":"hello"}`)
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := d.Handle(ctx, s, &RunTool{ToolID: "echo", Args: args}).(*ToolResult); !ok {
					b.Fatal("refused")
				}
			}
		})
	}
}
