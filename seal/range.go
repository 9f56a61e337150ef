package seal

import (
	"crypto/sha256"

	"golang.org/x/mod/sumdb/tlog"
)

// A compactRange stands for a run of leaves by the fewest complete subtrees
// that cover it. Two that adjoin can be merged, so that parts of a tree can be
// hashed side by side (as in RFC 9162's "compact range", described by
// Crosby and Wallach, USENIX Security 2009).
type compactRange struct {
	begin, end uint64
	nodes      []treeNode // from left to right
	seen       func(treeNode)
}

// A treeNode is the root of a complete subtree of 2^level leaves, the first of
// which has the index pos·2^level.
type treeNode struct {
	level int
	pos   uint64
	hash  tlog.Hash
}

// add appends a leaf.
func (r *compactRange) add(h tlog.Hash) {
	r.push(treeNode{0, r.end, h})
	r.end++
}

// push appends a subtree and joins those that are complete. Roots of whole
// tiles are shown to seen.
func (r *compactRange) push(n treeNode) {
	for k := len(r.nodes) - 1; k >= 0 && n.pos&1 == 1; k-- {
		left := r.nodes[k]
		if left.level != n.level {
			break
		}
		r.nodes = r.nodes[:k]
		n = treeNode{n.level + 1, n.pos >> 1, nodeHash(&left.hash, &n.hash)}
		if n.level%tileHeight == 0 && r.seen != nil {
			r.seen(n)
		}
	}
	r.nodes = append(r.nodes, n)
}

// merge appends a range that begins where r ends.
func (r *compactRange) merge(right *compactRange) {
	for _, n := range right.nodes {
		r.push(n)
	}
	r.end = right.end
}

// clone returns a copy that can be merged or grown on its own.
func (r *compactRange) clone() compactRange {
	c := *r
	c.nodes = append([]treeNode(nil), r.nodes...)
	return c
}

// root returns the tree hash; r begins at 0.
func (r *compactRange) root() tlog.Hash {
	if len(r.nodes) == 0 {
		return emptyRoot
	}
	last := len(r.nodes) - 1
	h := r.nodes[last].hash
	for i := last - 1; i >= 0; i-- {
		h = nodeHash(&r.nodes[i].hash, &h)
	}
	return h
}

func nodeHash(left, right *tlog.Hash) tlog.Hash {
	var b [1 + 2*tlog.HashSize]byte
	b[0] = 1
	copy(b[1:], left[:])
	copy(b[1+tlog.HashSize:], right[:])
	return sha256.Sum256(b[:])
}
