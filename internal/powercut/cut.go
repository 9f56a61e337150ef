package powercut

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
)

// Cut turns the power off, and rewrites the files as a disk may show them when
// it is on again. The file system stays off. Whoever still reads the files past
// it must expect them to change.
func (f *FS) Cut() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.off = true
	var errs []error
	for _, path := range slices.Sorted(maps.Keys(f.names)) {
		versions := f.names[path]
		if i := f.rng.IntN(len(versions) + 1); i < len(versions) {
			delete(f.inodes, path)
			errs = append(errs, versions[i].restore(path))
		}
	}
	for _, path := range slices.Sorted(maps.Keys(f.inodes)) {
		errs = append(errs, f.rewrite(f.inodes[path]))
	}
	clear(f.names)
	clear(f.inodes)
	return errors.Join(errs...)
}

// restore puts a version of a file back.
func (v version) restore(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if v.data == nil {
		return nil
	}
	if err := os.WriteFile(path, v.data, 0o600); err != nil {
		return err
	}
	return os.Chmod(path, v.mode)
}

// rewrite takes from a file what it need not have kept.
func (f *FS) rewrite(node *inode) error {
	now, err := snapshot(node.path)
	if err != nil || now.data == nil {
		return err // it was removed past this file system
	}
	if f.rng.IntN(2) == 0 {
		now.mode = node.mode
	}
	safe, loose := now.data[:node.synced:node.synced], now.data[node.synced:]
	switch {
	case node.whole:
		loose = f.allOrNothing(loose)
	case node.old != nil && f.rng.IntN(2) == 0:
		loose = f.uncut(node, loose)
	default:
		loose = f.tear(node.synced, loose)
	}
	now.data = append(safe, loose...)
	return now.restore(node.path)
}

func (f *FS) allOrNothing(b []byte) []byte {
	switch f.rng.IntN(3) {
	case 0:
		return nil
	case 1:
		return make([]byte, len(b))
	}
	return b
}

// tear returns one of the states of bytes that were appended behind the offset
// at and not synced: cut anywhere, with blocks that never reached the disk.
func (f *FS) tear(at int64, b []byte) []byte {
	b = slices.Clone(b)
	switch f.rng.IntN(4) {
	case 0:
		return b
	case 1:
		return nil
	}
	b = b[:f.rng.IntN(len(b)+1)]
	if f.rng.IntN(2) == 0 {
		return b
	}
	block := int64(sector)
	if f.rng.IntN(2) == 0 {
		block = page
	}
	for i := 0; i < len(b); {
		end := min(len(b), int((at+int64(i))/block*block+block-at))
		if f.rng.IntN(2) == 0 {
			clear(b[i:end])
		}
		i = end
	}
	return b
}

// The units in which disks and file systems write.
const (
	sector = 512
	page   = 4096
)

// uncut returns what stands behind the synced bytes when the file's old length
// is back. The page in which it was cut may have been written meanwhile.
func (f *FS) uncut(node *inode, fresh []byte) []byte {
	b := slices.Clone(node.old)
	if f.rng.IntN(2) == 0 {
		edge := min(int64(len(b)), page-node.synced%page)
		n := copy(b[:edge], fresh)
		clear(b[n:edge])
	}
	return b
}
