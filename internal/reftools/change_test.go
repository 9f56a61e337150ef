package reftools

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestWrite(t *testing.T) {
	s := newServer(t)
	session := s.session()
	path := filepath.Join(s.dir, "new")
	if got := must[writeResult](s, session, "ref:fs.write", object{"path": "new", "content": "ü"}); got != (writeResult{path, 2}) {
		t.Errorf("%+v", got)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	must[writeResult](s, session, "ref:fs.write", object{"path": path, "content": "second"})
	info, err := os.Stat(path)
	if err != nil || s.content("new") != "second" || runtime.GOOS != "windows" && info.Mode() != 0o640 {
		t.Errorf("%q, mode %v, %v", s.content("new"), info.Mode(), err)
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the directory has %v, %v", entries, err)
	}
}

func TestWriteFails(t *testing.T) {
	s := newServer(t)
	s.file("plain", "x")
	for path, code := range map[string]string{
		"": "IS_DIR", "none/x": "NO_PARENT", "none/none/x": "NO_PARENT", "plain/x": "NOT_A_DIRECTORY", "a\x00b": "invalid args",
	} {
		s.ends(s.session(), "ref:fs.write", code, object{"path": path, "content": "y"})
	}
	s.ends(s.session(), "ref:fs.write", "invalid args", `{"path":"y"}`)
	callDone(t, write(&changes{}), s.dir, `{"path":"plain","content":"y"}`)
	if entries, _ := os.ReadDir(s.dir); len(entries) != 1 || s.content("plain") != "x" {
		t.Errorf("something was written: %v", entries)
	}
	for _, id := range []string{"ref:fs.write", "ref:fs.edit"} {
		if _, end := newServer(t).call(nobody(), id, object{"path": "plain"}); !strings.Contains(end, "code 1001") {
			t.Errorf("%s without the capability: %s", id, end)
		}
	}
}

func TestWriteFollowsLinks(t *testing.T) {
	s := newServer(t)
	s.file("real", "x")
	for link, to := range map[string]string{"link": "real", "dangling": "none"} {
		if err := os.Symlink(to, filepath.Join(s.dir, link)); err != nil {
			t.Skip(err)
		}
	}
	must[writeResult](s, s.session(), "ref:fs.write", object{"path": "link", "content": "through"})
	info, err := os.Lstat(filepath.Join(s.dir, "link"))
	if err != nil || info.Mode().IsRegular() || s.content("real") != "through" {
		t.Errorf("the link was replaced: %v, %v", info.Mode(), err)
	}
	s.ends(s.session(), "ref:fs.write", "NOT_AVAILABLE", object{"path": "dangling", "content": "x"})
}

func TestEdit(t *testing.T) {
	s := newServer(t)
	session := s.session()
	path := s.file("f", "a b a\n")
	edit := func(old, new string, all bool) object {
		return object{"path": "f", "old_string": old, "new_string": new, "replace_all": all}
	}
	s.ends(session, "ref:fs.edit", "NOT_READ", edit("b", "c", false))
	must[readResult](s, session, "ref:fs.read", object{"path": "f"})
	s.ends(s.session(), "ref:fs.edit", "NOT_READ", edit("b", "c", false))
	s.ends(session, "ref:fs.edit", "invalid args", edit("a", "c", false))
	s.ends(session, "ref:fs.edit", "invalid args", edit("absent", "c", false))
	s.ends(session, "ref:fs.edit", "invalid args", edit("", "c", true))
	if got := must[editResult](s, session, "ref:fs.edit", edit("b", "c", false)); got != (editResult{path, 1}) || s.content("f") != "a c a\n" {
		t.Errorf("%+v, %q", got, s.content("f"))
	}
	// The session knows what it wrote itself.
	if got := must[editResult](s, session, "ref:fs.edit", edit("a", "", true)); got.Replacements != 2 || s.content("f") != " c \n" {
		t.Errorf("%+v, %q", got, s.content("f"))
	}
}

func TestEditSeesChanges(t *testing.T) {
	args := object{"path": "f", "old_string": "a", "new_string": "z"}
	for name, change := range map[string]func(s *server, path string) error{
		"size":  func(s *server, path string) error { s.file("f", "a longer"); return os.Chtimes(path, past, past) },
		"mtime": func(_ *server, path string) error { return os.Chtimes(path, past, past.Add(time.Second)) },
		"inode": func(s *server, path string) error {
			other := s.file("other", "abc")
			if err := os.Chtimes(other, past, past); err != nil {
				return err
			}
			return os.Rename(other, path)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			session := s.session()
			path := s.file("f", "abc")
			if err := os.Chtimes(path, past, past); err != nil {
				t.Fatal(err)
			}
			must[readResult](s, session, "ref:fs.read", object{"path": "f"})
			if err := change(s, path); err != nil {
				t.Fatal(err)
			}
			s.ends(session, "ref:fs.edit", "FILE_MODIFIED", args)
			must[readResult](s, session, "ref:fs.read", object{"path": "f"})
			must[editResult](s, session, "ref:fs.edit", args)
		})
	}
}

var past = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// Of edits at the same time each is there, or was refused.
func TestEditsDoNotUndoEachOther(t *testing.T) {
	s := newServer(t)
	const n = 8
	var start strings.Builder
	for i := range n {
		fmt.Fprintf(&start, "<%d>\n", i)
	}
	s.file("f", start.String())
	var edits sync.WaitGroup
	var refused [n]bool
	for i := range n {
		session := s.session()
		must[readResult](s, session, "ref:fs.read", object{"path": "f"})
		edits.Go(func() {
			_, end := s.call(session, "ref:fs.edit", object{"path": "f", "old_string": fmt.Sprintf("<%d>", i), "new_string": fmt.Sprintf("[%d]", i)})
			refused[i] = end == "FILE_MODIFIED"
			if end != "" && !refused[i] {
				t.Errorf("edit %d ended %q", i, end)
			}
		})
	}
	edits.Wait()
	for i := range n {
		if strings.Contains(s.content("f"), fmt.Sprintf("[%d]", i)) == refused[i] {
			t.Errorf("edit %d: refused %v, but the file is %q", i, refused[i], s.content("f"))
		}
	}
}

func TestTrackerIsBounded(t *testing.T) {
	tr := &tracker{seen: map[string]os.FileInfo{}}
	for i := range maxTracked + 10 {
		tr.saw(fmt.Sprint(i), nil)
	}
	if len(tr.seen) != maxTracked {
		t.Errorf("%d files are tracked", len(tr.seen))
	}
}
