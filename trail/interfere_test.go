package trail

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// interfere writes, lets somebody else meddle with the live file, writes on
// and returns the account.
func interfere(t *testing.T, synced bool, meddle func(path string)) (dir string, a Account) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("Windows does not let go of an open file")
	}
	dir = filepath.Join(t.TempDir(), "home", "a")
	c := &fakeClock{wall: time.Now()}
	tr := open(t, dir, &Options{clock: c, SyncEvery: -1})
	write(t, tr, 1, 100)
	if synced {
		if err := tr.Sync(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	meddle(livePath(t, dir))
	c.advance(2 * time.Second)
	write(t, tr, 101, 100)
	if s := tr.Stats(); s.State != OK {
		t.Errorf("stats %+v", s)
	}
	shut(t, tr)
	shut(t, open(t, dir, nil))
	a = balanced(t, dir)
	if a.Last != 200 {
		t.Errorf("%+v", a)
	}
	return dir, a
}

func TestTheLiveFileIsDeleted(t *testing.T) {
	dir, a := interfere(t, true, func(path string) { os.Remove(path) })
	if a.Events != 200 {
		t.Errorf("%+v", a)
	}
	oneNote(t, dir, "replaced", `"reason":"deleted"`, `"moved":101`)
}

func TestTheLiveFileIsReplaced(t *testing.T) {
	dir, a := interfere(t, false, func(path string) {
		os.Rename(path, path+".1")
		os.WriteFile(path, []byte("something else\n"), 0o600)
	})
	if a.Events != 200 {
		t.Errorf("%+v", a)
	}
	oneNote(t, dir, "replaced", `"reason":"replaced"`)
	aside, _ := filepath.Glob(filepath.Join(dir, stateDir, foreignName+"*"))
	if len(aside) != 1 || string(mustRead(t, aside[0])) != "something else\n" {
		t.Errorf("the other file is not kept: %v", aside)
	}
}

func TestTheDirectoryIsRemoved(t *testing.T) {
	dir, a := interfere(t, true, func(path string) { os.RemoveAll(filepath.Dir(filepath.Dir(path))) })
	if a.Events != 200 {
		t.Errorf("%+v", a)
	}
	oneNote(t, dir, "replaced", `"reason":"deleted"`)
}

func TestTheLiveFileIsCutShort(t *testing.T) {
	dir, a := interfere(t, true, func(path string) { os.Truncate(path, 0) })
	if a.Events != 100 || a.Lost[string(LossRemoved)] != 100 {
		t.Errorf("%+v", a)
	}
	oneNote(t, dir, "replaced", `"reason":"shrunk"`, `"missing":101`, `"first_seq":1,"last_seq":100`)
}

func TestTheLiveFileIsCutShortBeforeItIsDurable(t *testing.T) {
	dir, a := interfere(t, false, func(path string) { os.Truncate(path, 777) })
	if a.Events != 200 {
		t.Errorf("%+v", a)
	}
	oneNote(t, dir, "replaced", `"reason":"shrunk"`)
}

func TestSomebodyElseAppends(t *testing.T) {
	dir, a := interfere(t, true, func(path string) {
		f, _ := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		f.WriteString("no line of ours, and torn")
		f.Close()
	})
	if a.Events != 200 {
		t.Errorf("%+v", a)
	}
	oneNote(t, dir, "replaced", `"reason":"grown"`, "no line of ours, and torn")
	if strings.Contains(string(mustRead(t, livePath(t, dir))), "torn{") {
		t.Error("glued")
	}
}
