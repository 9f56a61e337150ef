package reftools

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/dispatch"
)

// changes replaces files. It lets one replacement at a time look at what it
// replaces, so that of two edits of a file none undoes the other.
type changes struct{ mu sync.Mutex }

// A change is what a file is to become.
type change struct {
	canonical string
	path      string      // as the caller wrote it
	old       fs.FileInfo // nil where there is no file
	unchanged bool        // the file has to be what old is
	content   string
}

// replace writes the content beside the file and renames it, so that the file
// has at any moment its old or its new content. It keeps the mode.
func (c *changes) replace(ctx context.Context, ch change) (fs.FileInfo, error) {
	if err := writable(ch); err != nil {
		return nil, failed(err, ch.path)
	}
	temp := filepath.Join(filepath.Dir(ch.canonical), ".tooltrail-"+audit.NewCallID())
	info, err := stage(temp, ch)
	if err == nil {
		err = c.publish(ctx, temp, ch)
	}
	if err != nil {
		_ = os.Remove(temp)
		return nil, failedRead(ctx, err, ch.path)
	}
	return info, nil
}

// writable fails where the file itself may not be written. The rename alone
// would ask for its directory only.
func writable(ch change) error {
	if ch.old == nil {
		return nil
	}
	f, err := os.OpenFile(ch.canonical, os.O_WRONLY|openFlags, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

// stage writes the content to a file of its own.
func stage(temp string, ch change) (info fs.FileInfo, err error) {
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	if ch.old != nil {
		if err := f.Chmod(ch.old.Mode().Perm()); err != nil {
			return nil, err
		}
	}
	if _, err := f.WriteString(ch.content); err != nil {
		return nil, err
	}
	if err := f.Sync(); err != nil {
		return nil, err
	}
	return f.Stat()
}

func (c *changes) publish(ctx context.Context, temp string, ch change) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if ch.unchanged {
		now, err := os.Stat(ch.canonical)
		if err != nil {
			return err
		}
		if !same(ch.old, now) {
			return dispatch.Fail(codeModified, false, "%s has changed since it was read; read it again", ch.path)
		}
	}
	return os.Rename(temp, ch.canonical)
}
