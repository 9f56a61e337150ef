//go:build unix

package reftools

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tooltrail/tooltrail/dispatch"
)

// Nothing that is no regular file is opened, written or replaced, and nothing
// hangs on it.
func TestSpecialFiles(t *testing.T) {
	s := newServer(t)
	fifo := filepath.Join(s.dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"fifo", "/dev/null", "/dev/zero", "/proc/self/environ", "/proc/self/mem"} {
		if _, err := os.Stat(path); err != nil && filepath.IsAbs(path) {
			continue
		}
		s.ends(s.session(), "ref:fs.read", "NOT_AVAILABLE", object{"path": path})
		s.ends(s.session(), "ref:fs.write", "NOT_AVAILABLE", object{"path": path, "content": "x"})
	}
	if got := must[grepResult](s, s.session(), "ref:fs.grep", object{"pattern": "x"}); len(got.Matches) != 0 {
		t.Errorf("%+v", got)
	}
	if got := must[grepResult](s, s.session(), "ref:fs.grep", object{"pattern": "x", "path": "fifo"}); len(got.Matches) != 0 {
		t.Errorf("%+v", got)
	}
	info, err := os.Lstat(fifo)
	if err != nil || info.Mode().IsRegular() {
		t.Errorf("the FIFO was replaced: %v", err)
	}
}

func TestPermissions(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may do everything")
	}
	s := newServer(t)
	for name, mode := range map[string]os.FileMode{"unreadable": 0o200, "readonly": 0o400} {
		if err := os.Chmod(s.file(name, "x"), mode); err != nil {
			t.Fatal(err)
		}
	}
	s.ends(s.session(), "ref:fs.read", "EACCES", object{"path": "unreadable"})
	s.ends(s.session(), "ref:fs.write", "EACCES", object{"path": "readonly", "content": "y"})
	if s.content("readonly") != "x" {
		t.Error("a read-only file was replaced")
	}
}

func TestShell(t *testing.T) {
	s := newServer(t)
	got := must[shellResult](s, s.session(), "ref:shell.exec", object{"command": `pwd; echo talk >&2`})
	if got != (shellResult{s.dir + "\n", "talk", 0}) {
		t.Errorf("%+v", got)
	}
	s.ends(s.session(), "ref:shell.exec", "EXIT_3", object{"command": `exit 3`})
	s.ends(s.session(), "ref:shell.exec", dispatch.FailOutputTooLarge, object{"command": `yes`})
	s.ends(s.session(), "ref:shell.exec", "invalid args", `{}`)
	if _, end := s.call(nobody(), "ref:shell.exec", object{"command": `true`}); !strings.Contains(end, "code 1001") {
		t.Errorf("without the capability: %s", end)
	}
}
