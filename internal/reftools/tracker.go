package reftools

import (
	"io/fs"
	"os"
	"sync"

	"github.com/tooltrail/tooltrail/dispatch"
)

// maxTracked is how many files a session is known to have read. Beyond that
// some are forgotten, and have to be read again before they are edited.
const maxTracked = 4096

// A tracker knows what each file was when its session read it.
type tracker struct {
	mu   sync.Mutex
	seen map[string]fs.FileInfo // by canonical path
}

type trackerKey struct{}

func trackerOf(c *dispatch.Call) *tracker {
	return c.Session.Load(trackerKey{}, func() any { return &tracker{seen: map[string]fs.FileInfo{}} }).(*tracker)
}

func (t *tracker) saw(canonical string, info fs.FileInfo) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for other := range t.seen {
		if len(t.seen) < maxTracked {
			break
		}
		delete(t.seen, other)
	}
	t.seen[canonical] = info
}

// check fails unless a file is as the session read it.
func (t *tracker) check(canonical, path string, now fs.FileInfo) error {
	t.mu.Lock()
	was := t.seen[canonical]
	t.mu.Unlock()
	switch {
	case was == nil:
		return dispatch.Fail(codeNotRead, false, "read %s before you edit it", path)
	case !same(was, now):
		return dispatch.Fail(codeModified, false, "%s has changed since it was read; read it again", path)
	}
	return nil
}

// same reports whether two looks at a path saw the same file with, by all
// signs, the same content.
func same(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
