package tiles

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tooltrail/tooltrail/trail"
)

// Lines that no checkpoint covers may be cut off and written anew with other
// lengths. What is remembered must not come from them.
func TestIndexHoldsCoveredLinesOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "00000000000000000100.jsonl")
	covered := strings.Repeat("a\n", 500) // lines 100 to 599
	write := func(tail string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(covered+tail), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	find := func(x *index, at, size uint64) (int64, uint64) {
		t.Helper()
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		off, line, err := x.offset(f, trail.Segment{Path: path, First: 100}, at, size)
		if err != nil {
			t.Fatal(err)
		}
		return off, line
	}
	x := &index{}
	write(strings.Repeat("lost\n", 1000))
	if off, line := find(x, 599, 600); off != 2*(512-100) || line != 512 {
		t.Errorf("line 599: line %d at %d", line, off)
	}
	if off, line := find(x, 120, 600); off != 0 || line != 100 {
		t.Errorf("line 120: line %d at %d", line, off)
	}
	write(strings.Repeat("it is longer\n", 1000))
	want := int64(len(covered) + 13*(768-600))
	if off, line := find(x, 800, 1000); off != want || line != 768 {
		t.Errorf("line 800: line %d at %d, want 768 at %d", line, off, want)
	}
	if !bytes.HasPrefix(read(t, path, want), []byte("it is")) {
		t.Error("no line begins there")
	}
}

func read(t *testing.T, path string, off int64) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b[off:]
}

func TestIndexesAreBounded(t *testing.T) {
	l := newLines(t.TempDir(), 2)
	a := l.indexes.of("a")
	l.indexes.of("b")
	if l.indexes.of("a") != a {
		t.Error("a was forgotten")
	}
	l.indexes.of("c") // the second place is b's, used longest ago
	if l.indexes.of("a") != a || len(l.indexes.byKey) != 2 || l.indexes.order.Len() != 2 {
		t.Errorf("%d and %d are kept", len(l.indexes.byKey), l.indexes.order.Len())
	}
}
