package audittest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/audit"
)

// TestWriter holds a writer to its contract: lines arrive whole, in order, once
// each; a batch's memory may be reused as soon as Write returns; an empty batch
// is no error; a queue in front of it delivers everything and closes it.
//
// open makes a writer and a function that returns the event lines that have
// arrived at its destination, without newlines. The function is called after
// Close.
func TestWriter(t *testing.T, open func(t *testing.T) (w audit.Writer, arrived func() []string)) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	t.Run("order", func(t *testing.T) {
		w, arrived := open(t)
		var want []string
		var memory []byte
		for n := range 20 {
			batch := makeBatch(memory[:0], n, &want)
			memory = batch.Bytes
			if err := w.Write(ctx, batch); err != nil {
				t.Fatal(err)
			}
			for i := range memory {
				memory[i] = '!'
			}
		}
		finish(ctx, t, w)
		compare(t, arrived(), want)
	})
	t.Run("sync", func(t *testing.T) {
		w, arrived := open(t)
		var want []string
		if err := w.Write(ctx, makeBatch(nil, 3, &want)); err != nil {
			t.Fatal(err)
		}
		if s, ok := w.(audit.Syncer); ok {
			if err := s.Sync(ctx); err != nil {
				t.Fatal(err)
			}
		}
		finish(ctx, t, w)
		compare(t, arrived(), want)
	})
	t.Run("queue", func(t *testing.T) {
		w, arrived := open(t)
		q := audit.NewQueue(w, &audit.QueueOptions{Policy: audit.Block})
		const n = 3000
		for i := range n {
			q.OnCall(event(fmt.Sprint("call-", i)))
		}
		if err := q.Close(ctx); err != nil {
			t.Fatal(err)
		}
		lines := arrived()
		if len(lines) != n {
			t.Fatalf("%d of %d events arrived", len(lines), n)
		}
		for i, line := range lines {
			if !strings.Contains(line, fmt.Sprintf(`"call_id":"call-%d"`, i)) {
				t.Fatalf("line %d is %s", i, line)
			}
		}
	})
}

// makeBatch encodes n events into memory and adds their lines to want.
func makeBatch(memory []byte, n int, want *[]string) audit.Batch {
	for range n {
		ev := event(fmt.Sprint("call-", len(*want)))
		ev.Seq = uint64(len(*want) + 1)
		start := len(memory)
		memory = ev.AppendJSON(memory)
		*want = append(*want, string(memory[start:]))
		memory = append(memory, '\n')
	}
	return audit.Batch{Bytes: memory, Lines: n}
}

func finish(ctx context.Context, t *testing.T, w audit.Writer) {
	t.Helper()
	if err := w.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

func compare(t *testing.T, have, want []string) {
	t.Helper()
	if len(have) != len(want) {
		t.Fatalf("%d lines arrived, want %d", len(have), len(want))
	}
	for i := range want {
		if have[i] != want[i] {
			t.Fatalf("line %d is\n%s, want\n%s", i, have[i], want[i])
		}
	}
}
