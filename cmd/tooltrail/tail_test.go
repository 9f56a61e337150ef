package main

import (
	"context"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/internal/proc"
	"github.com/tooltrail/tooltrail/trail"
)

func TestTailFollows(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	record(t, filepath.Join(home, "a"), "first")
	f := follow(t, "--trail", home)
	f.out.await(t, "first")
	record(t, filepath.Join(home, "a"), "second")
	f.out.await(t, "second")
	record(t, filepath.Join(home, "b"), "third") // a trail that appears meanwhile
	f.out.await(t, "third")
	f.end(t, "first", "second", "third")
}

func TestTailFollowsAFilter(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	record(t, filepath.Join(home, "a"), "first")
	f := follow(t, "--trail", home, "--json", "-tool:second")
	f.out.await(t, "first")
	record(t, filepath.Join(home, "a"), "second")
	record(t, filepath.Join(home, "a"), "third")
	f.out.await(t, "third")
	f.end(t, "first", "third")
	if got := f.out.text(); strings.Contains(got, "second") || strings.Contains(got, "note") {
		t.Errorf("not what was asked for:\n%s", got)
	}
}

func TestTailAwaitsTheFirstTrail(t *testing.T) {
	f := follow(t)
	f.errs.await(t, "nothing is recorded yet")
	home := filepath.Join(append([]string{f.home}, stateUnderHome...)...)
	record(t, filepath.Join(home, "tooltrail", "a"), "first")
	f.out.await(t, "first")
	f.end(t, "first")
}

// record writes one call into a trail.
func record(t *testing.T, dir, tool string) {
	t.Helper()
	tr, err := trail.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	line := (&audit.CallEvent{ToolID: tool, Outcome: audit.Success(), Seq: tr.NextSeq()}).AppendJSON(nil)
	if err := tr.Write(t.Context(), audit.Batch{Bytes: append(line, '\n'), Lines: 1}); err != nil {
		t.Fatal(err)
	}
	if err := tr.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A following is a running "tail -f".
type following struct {
	home      string
	out, errs syncBuffer
	cancel    context.CancelFunc
	status    chan proc.ExitStatus
}

func follow(t *testing.T, args ...string) *following {
	f := &following{home: t.TempDir(), status: make(chan proc.ExitStatus, 1)}
	var ctx context.Context
	ctx, f.cancel = context.WithCancel(t.Context())
	a := &app{
		stdin: strings.NewReader(""), stdout: &f.out, stderr: &f.errs,
		lookup:   func(string) (string, bool) { return "", false },
		userHome: func() (string, error) { return f.home, nil },
		now:      time.Now, zone: time.UTC,
	}
	go func() { f.status <- run(ctx, a, append([]string{"tail", "-f"}, args...)) }()
	t.Cleanup(f.cancel)
	return f
}

// end stops the command, which must have shown each of the tools once.
func (f *following) end(t *testing.T, tools ...string) {
	t.Helper()
	f.cancel()
	if status := <-f.status; status != (proc.ExitStatus{}) {
		t.Errorf("%v: %s", status, f.errs.text())
	}
	for _, tool := range tools {
		if n := strings.Count(f.out.text(), tool); n != 1 {
			t.Errorf("%s is shown %d times:\n%s", tool, n, f.out.text())
		}
	}
}

// A syncBuffer is a buffer that a test reads while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

var _ io.Writer = (*syncBuffer)(nil)

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// await waits until the text has been written.
func (s *syncBuffer) await(t *testing.T, text string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(s.text(), text); {
		if time.Now().After(deadline) {
			t.Fatalf("no %q in:\n%s", text, s.text())
		}
		time.Sleep(5 * time.Millisecond)
	}
}
