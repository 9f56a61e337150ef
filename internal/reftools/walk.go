package reftools

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tooltrail/tooltrail/dispatch"
)

// A walk goes over what is below a directory, and never leaves it: no link to
// a directory is followed. It leaves out .git and what may not be read.
type walk struct {
	root  *os.Root
	start string // where to begin, relative to root
	file  bool   // start is a file
	path  string // as the caller wrote it
}

// newWalk opens a directory, "" being the working directory, or the directory
// of a file, over which alone it then goes.
func newWalk(c *dispatch.Call, at string) (*walk, error) {
	canonical, err := resolve(c, at)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(canonical)
	if err != nil {
		return nil, failed(err, at)
	}
	w := &walk{start: ".", file: !info.IsDir(), path: at}
	if w.file {
		w.start, canonical = filepath.Base(canonical), filepath.Dir(canonical)
	}
	if w.root, err = os.OpenRoot(canonical); err != nil {
		return nil, failed(err, at)
	}
	return w, nil
}

func (w *walk) close() { _ = w.root.Close() }

// each visits what there is, each directory's entries sorted by name, until
// visit returns fs.SkipAll or another error, or ctx is done. Where nothing is
// at the start, or a link there leads out of the root, it visits nothing.
func (w *walk) each(ctx context.Context, visit func(name string, d fs.DirEntry) error) error {
	if slices.Contains(strings.Split(w.start, "/"), ".git") {
		return nil
	}
	err := fs.WalkDir(w.root.FS(), w.start, func(name string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case d == nil:
			return nil // the start
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case err != nil:
			return nil // a directory that cannot be listed
		case name == ".":
			return nil
		}
		return visit(name, d)
	})
	if err == nil || errors.Is(err, ctx.Err()) {
		return err
	}
	return failed(err, w.path)
}

// show is the path of a name in results, which other tools take.
func (w *walk) show(name string) string {
	if w.file {
		return w.path
	}
	return path.Join(filepath.ToSlash(w.path), name)
}
