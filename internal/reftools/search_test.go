package reftools

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// newTree returns a server whose directory has links that lead out of it, and
// a .git.
func newTree(t *testing.T) *server {
	t.Helper()
	s := newServer(t)
	for name, text := range map[string]string{
		"a.go": "package a\nfunc main() {}\n", "d/b.go": "package b\r\n// ü main\r\n", "d/e/c.txt": "main\n",
		"d.txt": "nothing", "d/.hidden": "main\n", ".git/config": "main", "d/.git/x.go": "main",
		"d/binary": "main\x00", "d/latin1": "main \xe9\n",
	} {
		s.file(name, text)
	}
	outside := newServer(t)
	outside.file("secret.go", "main secret")
	for link, to := range map[string]string{"out": outside.dir, "d/out": outside.dir, "self": ".", "d/one.go": filepath.Join(outside.dir, "secret.go")} {
		if err := os.Symlink(to, filepath.Join(s.dir, link)); err != nil {
			t.Skip(err)
		}
	}
	return s
}

func TestGlob(t *testing.T) {
	s := newTree(t)
	for _, c := range []struct{ pattern, path, want string }{
		{"**/*.go", "", "a.go d/b.go d/one.go"},
		{"*.{go,txt}", "", "a.go d.txt"},
		{"d/*", "", "d/.hidden d/b.go d/binary d/e d/latin1 d/one.go d/out"},
		{"*.go", "d", "d/b.go d/one.go"},
		{"e/*", s.dir + "/d", s.dir + "/d/e/c.txt"},
		{"a.go", "", "a.go"},
		{"none/**", "", ""},
		{"out/*", "", ""},
		{"out/secret.go", "", ""},
		{".git/*", "", ""},
		{"d/.git/x.go", "", ""},
	} {
		got := must[globResult](s, s.session(), "ref:fs.glob", object{"pattern": c.pattern, "path": c.path})
		if strings.Join(got.Matches, " ") != c.want || got.Truncated || got.Matches == nil {
			t.Errorf("%s in %q: %q, want %q", c.pattern, c.path, got.Matches, c.want)
		}
	}
	for _, pattern := range []string{"../*", "/etc/*", "d/../../*", "[", "{a", "a//b", "./a"} {
		s.ends(s.session(), "ref:fs.glob", "invalid args", object{"pattern": pattern})
	}
	s.ends(s.session(), "ref:fs.glob", "NOT_FOUND", object{"pattern": "*", "path": "none"})
	s.ends(s.session(), "ref:fs.glob", "NOT_A_DIRECTORY", object{"pattern": "*", "path": "a.go"})
	callDone(t, glob(), s.dir, `{"pattern":"*"}`)
}

func TestGlobIsBounded(t *testing.T) {
	s := newServer(t)
	for i := range 300 {
		s.file(strings.Repeat("x", 20)+string(rune('a'+i%26))+strings.Repeat("y", i/26), "")
	}
	got := must[globResult](s, s.session(), "ref:fs.glob", object{"pattern": "*"})
	if !got.Truncated || len(got.Matches) < 50 || len(got.Matches) >= 300 || !slices.IsSorted(got.Matches) {
		t.Errorf("%d matches, truncated %v", len(got.Matches), got.Truncated)
	}
}

func TestGrep(t *testing.T) {
	s := newTree(t)
	a, b, c := grepMatch{"a.go", 2, "func main() {}"}, grepMatch{"d/b.go", 2, "// ü main"}, grepMatch{"d/e/c.txt", 1, "main"}
	hidden, latin1 := grepMatch{"d/.hidden", 1, "main"}, grepMatch{"d/latin1", 1, "main \uFFFD"}
	link := a
	for _, x := range []struct {
		args      object
		want      []grepMatch
		truncated bool
	}{
		{object{"pattern": "main"}, []grepMatch{a, hidden, b, c, latin1}, false},
		{object{"pattern": "^MAIN$"}, []grepMatch{}, false},
		{object{"pattern": "(?i)^MAIN$", "path": "d/e"}, []grepMatch{c}, false},
		{object{"pattern": "main", "glob": "*.go"}, []grepMatch{a, b}, false},
		{object{"pattern": "main", "glob": "d/**/*.txt"}, []grepMatch{c}, false},
		{object{"pattern": "main", "path": "a.go"}, []grepMatch{link}, false},
		{object{"pattern": "main", "limit": 2}, []grepMatch{a, hidden}, true},
		{object{"pattern": "main", "limit": 5}, []grepMatch{a, hidden, b, c, latin1}, false},
	} {
		got := must[grepResult](s, s.session(), "ref:fs.grep", x.args)
		if !slices.Equal(got.Matches, x.want) || got.Truncated != x.truncated || got.Matches == nil {
			t.Errorf("%v: %+v, want %+v", x.args, got, x.want)
		}
	}
	if _, end := s.call(s.session(), "ref:fs.grep", object{"pattern": "private("}); end != "invalid args: /pattern: missing closing )" {
		t.Error(end)
	}
	s.ends(s.session(), "ref:fs.grep", "invalid args", object{"pattern": "x", "glob": "../*"})
	s.ends(s.session(), "ref:fs.grep", "invalid args", object{"pattern": "x", "limit": 0})
	s.ends(s.session(), "ref:fs.grep", "NOT_FOUND", object{"pattern": "x", "path": "none"})
	callDone(t, grep(), s.dir, `{"pattern":"x"}`)
}

func TestGrepIsBounded(t *testing.T) {
	s := newServer(t)
	s.file("long", strings.Repeat("ü", 100<<10)+"\nshort ü\n")
	long := must[grepResult](s, s.session(), "ref:fs.grep", object{"pattern": "ü"})
	if len(long.Matches) != 2 || len(long.Matches[0].Text) != textLimit || long.Matches[1] != (grepMatch{"long", 2, "short ü"}) {
		t.Errorf("%d matches", len(long.Matches))
	}
	s.file("many", strings.Repeat("x\x01\n", 10_000))
	many := must[grepResult](s, s.session(), "ref:fs.grep", object{"pattern": "x", "limit": 10_000})
	if !many.Truncated || len(many.Matches) < 20 {
		t.Errorf("%d matches, truncated %v", len(many.Matches), many.Truncated)
	}
}
