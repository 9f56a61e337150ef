package trail

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/audit"
)

// open opens a trail that the test closes.
func open(t *testing.T, dir string, o *Options) *Trail {
	t.Helper()
	tr, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close(context.Background()) })
	return tr
}

func shut(t *testing.T, tr *Trail) {
	t.Helper()
	if err := tr.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// abandon lets go of a trail as a killed process would.
func abandon(tr *Trail) {
	close(tr.stop)
	<-tr.ended
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.closed = true
	tr.closeOnce.Do(func() { close(tr.closeDone) })
	tr.live.file.Close()
	for _, s := range tr.rotated {
		s.file.Close()
	}
	tr.lock.Close()
}

// seqLine is an event with a sequence number.
func seqLine(seq uint64) string {
	return fmt.Sprintf(`{"ts":"%s","call_id":"c%d","tool_id":"t","seq":%d}`+"\n", audit.NowRFC3339(), seq, seq)
}

// batch makes a batch of n events from seq on.
func batch(seq uint64, n int) audit.Batch {
	var b strings.Builder
	for i := range n {
		b.WriteString(seqLine(seq + uint64(i)))
	}
	return audit.Batch{Bytes: []byte(b.String()), Lines: n}
}

func write(t *testing.T, tr *Trail, seq uint64, n int) {
	t.Helper()
	if err := tr.Write(context.Background(), batch(seq, n)); err != nil {
		t.Fatal(err)
	}
}

// balanced checks a trail's account and returns it.
func balanced(t *testing.T, dir string) Account {
	t.Helper()
	a, err := Check(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !a.Balanced() || a.Unknown > 0 {
		t.Fatalf("the account does not balance: %+v", a)
	}
	return a
}

// notes returns a trail's notes of one kind.
func notes(t *testing.T, dir, kind string) (list []string) {
	t.Helper()
	for line, err := range Read(dir, nil) {
		if err == nil && line.Note() == kind {
			list = append(list, string(line.Bytes))
		}
	}
	return list
}

// oneNote returns the only note of a kind, which holds every part.
func oneNote(t *testing.T, dir, kind string, parts ...string) string {
	t.Helper()
	list := notes(t, dir, kind)
	if len(list) != 1 {
		t.Fatalf("%d notes %s, want 1: %v", len(list), kind, list)
	}
	for _, p := range parts {
		if !strings.Contains(list[0], p) {
			t.Fatalf("note %s lacks %s", list[0], p)
		}
	}
	return list[0]
}

// until polls a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited too long: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// livePath is the newest segment.
func livePath(t *testing.T, dir string) string {
	t.Helper()
	segs, err := Segments(dir)
	if err != nil || len(segs) == 0 {
		t.Fatalf("segments of %s: %v %v", dir, segs, err)
	}
	return segs[len(segs)-1].Path
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// wide makes a batch of n events of about 350 bytes.
func wide(n int) audit.Batch {
	b := batch(1, n)
	pad := `"tool_id":"` + strings.Repeat("x", 250) + `"`
	return audit.Batch{Bytes: []byte(strings.ReplaceAll(string(b.Bytes), `"tool_id":"t"`, pad)), Lines: n}
}
