package seal

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tooltrail/tooltrail/internal/durable"
)

// A grower appends leaves to the level files. One goroutine uses it at a time.
type grower struct {
	fs     durable.FS
	dir    string // of the trail
	levels [maxLevels]growLevel
}

type growLevel struct {
	file    durable.File // nil until the level has a hash
	count   uint64       // hashes, written or not
	pending []byte       // hashes that are not written yet
	tile    []byte       // the group that is not complete
}

// openGrower opens the level files for growing behind the first size leaves,
// and cuts off what they hold beyond.
func openGrower(fsys durable.FS, dir string, size uint64) (*grower, error) {
	if err := fsys.Mkdir(filepath.Join(dir, treeDir)); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	g := &grower{fs: fsys, dir: dir}
	if err := g.cut(size); err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

// size returns how many leaves there are, written or not.
func (g *grower) size() uint64 { return g.levels[0].count }

// append adds a leaf. Nothing is written before flush.
func (g *grower) append(h tlog.Hash) {
	for i := range g.levels {
		l := &g.levels[i]
		l.count++
		l.pending = append(l.pending, h[:]...)
		l.tile = append(l.tile, h[:]...)
		if len(l.tile) < tileBytes {
			return
		}
		h = fold(l.tile)
		l.tile = l.tile[:0]
	}
}

// flush writes what was added. After an error the grower must be cut back.
func (g *grower) flush() error {
	for i := range g.levels {
		l := &g.levels[i]
		if len(l.pending) == 0 {
			continue
		}
		if l.file == nil {
			if err := g.open(i, true); err != nil {
				return err
			}
		}
		n, err := l.file.Write(l.pending)
		if err == nil && n < len(l.pending) {
			err = errors.New("short write")
		}
		if err != nil {
			return fmt.Errorf("seal: append to tree/%d: %w", i, err)
		}
		l.pending = l.pending[:0]
	}
	return nil
}

// sync makes what was flushed durable.
func (g *grower) sync() error {
	for i := range g.levels {
		if f := g.levels[i].file; f != nil {
			if err := f.Datasync(); err != nil {
				return fmt.Errorf("seal: sync tree/%d: %w", i, err)
			}
		}
	}
	return nil
}

// cut brings the level files to the first size leaves.
func (g *grower) cut(size uint64) error {
	for i := range g.levels {
		l := &g.levels[i]
		count := size >> (tileHeight * i)
		l.count, l.pending, l.tile = count, l.pending[:0], l.tile[:0]
		if l.file == nil {
			err := g.open(i, false)
			if errors.Is(err, fs.ErrNotExist) {
				if count == 0 {
					continue
				}
				return fmt.Errorf("tree/%d: %w", i, errTreeShort)
			}
			if err != nil {
				return err
			}
		}
		if err := l.cut(); err != nil {
			return fmt.Errorf("seal: tree/%d: %w", i, err)
		}
	}
	return nil
}

func (l *growLevel) cut() error {
	info, err := l.file.Stat()
	if err != nil {
		return err
	}
	want := int64(l.count) * tlog.HashSize
	if info.Size() < want {
		return fmt.Errorf("%w: %d hashes of %d", errTreeShort, info.Size()/tlog.HashSize, l.count)
	}
	if info.Size() > want {
		if err := l.file.Truncate(want); err != nil {
			return err
		}
	}
	l.tile = append(l.tile[:0], make([]byte, l.count%tileWidth*tlog.HashSize)...)
	if len(l.tile) == 0 {
		return nil
	}
	_, err = l.file.ReadAt(l.tile, want-int64(len(l.tile)))
	return err
}

var errTreeShort = errors.New("the tree is shorter than what is signed")

func (g *grower) open(level int, create bool) error {
	path := levelPath(g.dir, level)
	f, err := g.fs.OpenAppend(path, create)
	if err == nil && create {
		if err = g.fs.SyncDir(filepath.Dir(path)); err != nil {
			_ = f.Close()
		}
	}
	if err != nil {
		return fmt.Errorf("seal: open tree/%d: %w", level, err)
	}
	g.levels[level].file = f
	return nil
}

func (g *grower) close() {
	for i := range g.levels {
		if f := g.levels[i].file; f != nil {
			_ = f.Close()
		}
	}
}
