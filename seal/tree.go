package seal

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tooltrail/tooltrail/internal/durable"
)

// Names in a trail's directory.
const (
	treeDir        = "tree"
	checkpointName = "checkpoint"
	historyName    = "checkpoints.jsonl"
)

// A tile is a group of hashes of one level, as in c2sp.org/tlog-tiles.
const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
	tileBytes  = tileWidth * tlog.HashSize
	// maxLevels is how many level files there can be for 2^63 lines.
	maxLevels = 8
)

// A Tree reads the level files of a sealed trail. It is a [tlog.HashReader], so
// package tlog makes proofs from it. It is safe for concurrent use, also while
// the trail is being written.
type Tree struct {
	files [maxLevels]*os.File // nil where there is none
}

// OpenTree opens the tree of the trail at dir. A trail that is not sealed has
// an empty one.
func OpenTree(dir string) (*Tree, error) {
	t := &Tree{}
	for level := range t.files {
		f, err := durable.OpenRead(levelPath(dir, level))
		if errors.Is(err, os.ErrNotExist) {
			break
		}
		if err != nil {
			t.Close()
			return nil, fmt.Errorf("seal: open tree: %w", err)
		}
		t.files[level] = f
	}
	return t, nil
}

// Close closes the files.
func (t *Tree) Close() error {
	var errs []error
	for _, f := range t.files {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// Size returns how many leaves tree/0 holds. They may be more than are signed,
// and what is not signed is not to be relied on.
func (t *Tree) Size() (uint64, error) {
	if t.files[0] == nil {
		return 0, nil
	}
	info, err := t.files[0].Stat()
	if err != nil {
		return 0, err
	}
	return uint64(info.Size()) / tlog.HashSize, nil
}

// Leaf returns the hash of the line at index i.
func (t *Tree) Leaf(i uint64) (tlog.Hash, error) {
	return t.node(0, int64(i))
}

// Root returns the hash of the tree of the first n lines.
func (t *Tree) Root(n uint64) (tlog.Hash, error) {
	if n == 0 {
		return emptyRoot, nil
	}
	h, err := tlog.TreeHash(int64(n), t)
	if err != nil {
		return tlog.Hash{}, fmt.Errorf("seal: root of %d lines: %w", n, err)
	}
	return h, nil
}

// emptyRoot is the hash of a tree without leaves (RFC 6962, section 2.1).
var emptyRoot = tlog.Hash(sha256.Sum256(nil))

// ReadHashes implements [tlog.HashReader].
func (t *Tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		level, n := tlog.SplitStoredHashIndex(index)
		h, err := t.node(level, n)
		if err != nil {
			return nil, err
		}
		hashes[i] = h
	}
	return hashes, nil
}

// node returns the hash of a complete subtree of 2^level lines, made from the
// level file below.
func (t *Tree) node(level int, n int64) (tlog.Hash, error) {
	file, up := level/tileHeight, level%tileHeight
	if file >= maxLevels || t.files[file] == nil {
		return tlog.Hash{}, fmt.Errorf("tree/%d is missing", file)
	}
	buf := make([]byte, tlog.HashSize<<up)
	if _, err := t.files[file].ReadAt(buf, n*int64(len(buf))); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return tlog.Hash{}, fmt.Errorf("tree/%d: %w", file, err)
	}
	return fold(buf), nil
}

// fold returns the root of the complete tree over hashes, whose number is a
// power of two. It overwrites them.
func fold(hashes []byte) tlog.Hash {
	var node [1 + 2*tlog.HashSize]byte
	node[0] = 1 // RFC 6962: 0x01 before an inner node
	for len(hashes) > tlog.HashSize {
		half := hashes[:len(hashes)/2]
		for i := 0; i < len(half); i += tlog.HashSize {
			copy(node[1:], hashes[2*i:])
			h := sha256.Sum256(node[:])
			copy(half[i:], h[:])
		}
		hashes = half
	}
	return tlog.Hash(hashes)
}

func levelPath(dir string, level int) string {
	return filepath.Join(dir, treeDir, strconv.Itoa(level))
}

// stored returns a hash as it stands in a level file.
func (t *Tree) stored(file int, n uint64) (h tlog.Hash, err error) {
	if file >= maxLevels || t.files[file] == nil {
		return h, fmt.Errorf("tree/%d is missing", file)
	}
	_, err = t.files[file].ReadAt(h[:], int64(n)*tlog.HashSize)
	return h, err
}
