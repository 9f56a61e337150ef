package reftools

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

func TestRead(t *testing.T) {
	s := newServer(t)
	path := s.file("d/three.txt", "one\n\tzwei ü\nthree")
	s.file("empty", "")
	for _, c := range []struct {
		args object
		want readResult
	}{
		{object{"path": "d/three.txt"}, readResult{path, "   1\tone\n   2\t\tzwei ü\n   3\tthree", 3, 3, false}},
		{object{"path": path, "offset": 2}, readResult{path, "   2\t\tzwei ü\n   3\tthree", 2, 3, false}},
		{object{"path": "d/../d/three.txt", "limit": 2}, readResult{path, "   1\tone\n   2\t\tzwei ü", 2, 3, true}},
		{object{"path": path, "offset": 3, "limit": 1}, readResult{path, "   3\tthree", 1, 3, false}},
		{object{"path": path, "offset": 4}, readResult{path, "", 0, 3, false}},
		{object{"path": "empty"}, readResult{filepath.Join(s.dir, "empty"), "", 0, 0, false}},
	} {
		if got := must[readResult](s, s.session(), "ref:fs.read", c.args); got != c.want {
			t.Errorf("%v: got %+v, want %+v", c.args, got, c.want)
		}
	}
}

func TestReadFails(t *testing.T) {
	s := newServer(t)
	s.file("latin1", "caf\xe9")
	s.file("cut", "caf\xc3")
	s.file("plain", "x")
	for path, code := range map[string]string{
		"": "IS_DIR", ".": "IS_DIR", "none": "NOT_FOUND", "none/x": "NOT_FOUND", "plain/x": "NOT_A_DIRECTORY",
		"latin1": "ENCODING", "cut": "ENCODING", "a\x00b": "invalid args", strings.Repeat("x", 5000): "invalid args",
	} {
		s.ends(s.session(), "ref:fs.read", code, object{"path": path})
	}
	for _, args := range []string{`{}`, `{"path":"plain","offset":0}`, `{"path":"plain","limit":0}`, `{"path":1}`, `{"path":"plain","limit":1.5}`} {
		s.ends(s.session(), "ref:fs.read", "invalid args", args)
	}
	callDone(t, read(), s.dir, `{"path":"plain"}`)
}

// What is too large for a result is cut, whatever its escapes take.
func TestReadCutsToTheResult(t *testing.T) {
	s := newServer(t)
	s.file("long", strings.Repeat("\x01", 1<<20)+"\nlast\n")
	s.file("many", strings.Repeat("\n", 1<<20))
	long := must[readResult](s, s.session(), "ref:fs.read", object{"path": "long"})
	if !long.Truncated || long.LineCount != 1 || long.TotalLines != 2 || len(long.Content) < 500 {
		t.Errorf("long: %d bytes, %d of %d lines, %v", len(long.Content), long.LineCount, long.TotalLines, long.Truncated)
	}
	many := must[readResult](s, s.session(), "ref:fs.read", object{"path": "many"})
	if !many.Truncated || many.LineCount < 300 || many.TotalLines != 1<<20 {
		t.Errorf("many: %d of %d lines, %v", many.LineCount, many.TotalLines, many.Truncated)
	}
	if want := fmt.Sprintf("%4d\t", many.LineCount); !strings.HasSuffix(many.Content, want) {
		t.Errorf("many ends with %q, want %q", many.Content[len(many.Content)-8:], want)
	}
}

// A character may come in pieces.
func TestPageTakesAnyBlocks(t *testing.T) {
	const text = "ü€😀\n\n€"
	for name, wrap := range map[string]func(*page) error{
		"whole": func(p *page) error { return p.read(context.Background(), strings.NewReader(text)) },
		"bytes": func(p *page) error {
			return p.read(context.Background(), iotest.OneByteReader(strings.NewReader(text)))
		},
		"data and end": func(p *page) error {
			return p.read(context.Background(), iotest.DataErrReader(strings.NewReader(text)))
		},
	} {
		p := &page{first: 1, room: 1 << 10}
		if err := wrap(p); err != nil || p.content.String() != "   1\tü€😀\n   2\t\n   3\t€" || p.total != 3 {
			t.Errorf("%s: %q, %v", name, p.content.String(), err)
		}
	}
}

func TestReadFollowsLinks(t *testing.T) {
	s := newServer(t)
	path := s.file("real", "x")
	if err := os.Symlink("real", filepath.Join(s.dir, "link")); err != nil {
		t.Skip(err)
	}
	if err := os.Symlink("loop", filepath.Join(s.dir, "loop")); err != nil {
		t.Fatal(err)
	}
	if got := must[readResult](s, s.session(), "ref:fs.read", object{"path": "link"}); got.Path != path {
		t.Errorf("the path is %s, want %s", got.Path, path)
	}
	if _, end := s.call(s.session(), "ref:fs.read", object{"path": "loop"}); end == "" {
		t.Error("a link to itself was read")
	}
}
