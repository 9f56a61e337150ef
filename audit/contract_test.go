package audit_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/audit/audittest"
)

func TestSinksKeepTheContract(t *testing.T) {
	t.Run("Memory", func(t *testing.T) {
		audittest.TestSink(t, func(*testing.T) (audit.Sink, func() []string) {
			m := new(audittest.Memory)
			return m, func() []string { return ids(m.Events()) }
		})
	})
	t.Run("Func", func(t *testing.T) {
		audittest.TestSink(t, func(*testing.T) (audit.Sink, func() []string) {
			m := new(audittest.Memory)
			return audit.Func(m.OnCall), func() []string { return ids(m.Events()) }
		})
	})
	t.Run("Multi", func(t *testing.T) {
		audittest.TestSink(t, func(*testing.T) (audit.Sink, func() []string) {
			m := new(audittest.Memory)
			rude := audit.Func(func(*audit.CallEvent) { panic("no") })
			return audit.Multi(nil, rude, m, rude), func() []string { return ids(m.Events()) }
		})
	})
	t.Run("Queue", func(t *testing.T) {
		audittest.TestSink(t, func(t *testing.T) (audit.Sink, func() []string) {
			var out bytes.Buffer
			q := audit.New(&out, nil)
			return q, func() []string {
				closeSink(t, q)
				return decode(t, out.String())
			}
		})
	})
}

func TestWritersKeepTheContract(t *testing.T) {
	t.Run("JSONLines", func(t *testing.T) {
		audittest.TestWriter(t, func(*testing.T) (audit.Writer, func() []string) {
			out := new(bytes.Buffer)
			return audit.NewJSONLines(out), func() []string { return split(out.String()) }
		})
	})
	t.Run("JSONLines file", func(t *testing.T) {
		audittest.TestWriter(t, func(t *testing.T) (audit.Writer, func() []string) {
			f, err := os.Create(filepath.Join(t.TempDir(), "audit.jsonl"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { f.Close() })
			return audit.NewJSONLines(f), func() []string { return split(read(t, f.Name())) }
		})
	})
}

func TestOpenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	for range 2 {
		q, err := audit.OpenFile(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		q.OnCall(&audit.CallEvent{CallID: "a", ToolID: "x", Outcome: audit.Success()})
		if err := q.Record(context.Background(), &audit.CallEvent{CallID: "b", ToolID: "x"}); err != nil {
			t.Fatal(err)
		}
		closeSink(t, q)
	}
	if have := strings.Join(decode(t, read(t, path)), " "); have != "a b a b" {
		t.Errorf("the file holds %q", have)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("mode is %v (%v)", info.Mode(), err)
	}
	if _, err := audit.OpenFile(t.TempDir(), nil); err == nil {
		t.Error("a directory was opened")
	}
}

func TestOpenFileMendsATornEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	if err := os.WriteFile(path, []byte("{\"ts\":\"whole\"}\n{\"ts\":\"to"), 0o600); err != nil {
		t.Fatal(err)
	}
	q, err := audit.OpenFile(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	q.OnCall(&audit.CallEvent{CallID: "a", ToolID: "x"})
	closeSink(t, q)
	if lines := split(read(t, path)); len(lines) != 3 || lines[1] != `{"ts":"to` || len(decode(t, lines[2])) != 1 {
		t.Errorf("the file holds %q", lines)
	}
}

// A device without room loses every line, and says so.
func TestFullDevice(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("this system has no /dev/full")
	}
	q, err := audit.OpenFile("/dev/full", nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 500 {
		q.OnCall(&audit.CallEvent{ToolID: "x"})
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := q.Close(ctx); err == nil {
		t.Error("Close says that all is well")
	}
	settled, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := q.Flush(settled); err != nil {
		t.Fatal(err)
	}
	if s := q.Stats(); s.Lost != 500 || s.WriteErrors == 0 {
		t.Errorf("stats %+v", s)
	}
}

func closeSink(t *testing.T, q *audit.Queue) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := q.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

func ids(events []audit.CallEvent) (ids []string) {
	for _, ev := range events {
		ids = append(ids, ev.CallID)
	}
	return ids
}

func split(text string) []string {
	if text = strings.TrimSuffix(text, "\n"); text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

func decode(t *testing.T, text string) (ids []string) {
	t.Helper()
	for _, line := range split(text) {
		ev, err := audit.Decode([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, ev.CallID)
	}
	return ids
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
