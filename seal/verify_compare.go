package seal

import (
	"fmt"
	"path/filepath"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

func (p *part) name() string { return filepath.Base(p.seg.Path) }

// compare puts the segments' ranges together and holds the root at each size
// that was signed to what was signed.
func (v *verification) compare() {
	all := compactRange{seen: func(n treeNode) { v.nodes = append(v.nodes, n) }}
	for _, p := range v.parts {
		v.fill(&all, p.seg.First)
		for i := range p.at {
			whole := all.clone()
			whole.seen = nil
			whole.merge(&p.at[i])
			v.checkRoot(p.sizes[i], whole.root())
		}
		v.nodes = append(v.nodes, p.nodes...)
		all.merge(&p.rng)
		v.differs = v.differs || p.differ
	}
	v.fill(&all, v.report.Sealed)
	v.checkBeyond(all.end)
	v.name()
	if !v.differs && len(v.missing) == 0 && len(v.wrong) == 0 {
		v.checkLevels()
	}
}

// fill takes the leaves of lines that are not there from tree/0.
func (v *verification) fill(all *compactRange, to uint64) {
	if all.end >= to {
		return
	}
	v.missing = append(v.missing, Range{all.end, to})
	leaves := &leafReader{tree: v.tree, next: all.end, end: min(to, v.treeSize)}
	for all.end < to {
		leaf, _ := leaves.leaf() // what the tree has not got gives wrong roots
		all.add(leaf)
		v.checkRoot(all.end, tlog.Hash{}, all)
	}
}

// checkRoot compares the root at a size with the marks of that size. Where the
// range is given, the root is only made if there are any.
func (v *verification) checkRoot(size uint64, root tlog.Hash, lazy ...*compactRange) {
	i, ok := slices.BinarySearchFunc(v.marks, size, func(m mark, size uint64) int {
		switch {
		case m.Size < size:
			return -1
		case m.Size > size:
			return 1
		}
		return 0
	})
	if !ok {
		return
	}
	if len(lazy) > 0 {
		root = lazy[0].root()
	}
	for ; i < len(v.marks) && v.marks[i].Size == size; i++ {
		switch m := v.marks[i]; {
		case m.Root != root:
			v.wrong = append(v.wrong, m)
		case m.anchor:
			v.report.Anchors++
			v.good = max(v.good, size)
		default:
			v.report.Checkpoints++
			v.good = max(v.good, size)
		}
	}
}

// checkBeyond looks at the marks that are larger than all there is.
func (v *verification) checkBeyond(end uint64) {
	for _, m := range v.marks {
		if m.anchor && m.Size > end {
			v.find(Finding{Kind: KindRollback, Line: v.end(), Count: m.Size - end,
				Says: fmt.Sprintf("%s was signed for %d lines, and there are %d: lines were cut off, or an older copy was put back", m.what, m.Size, v.end())})
		}
	}
}

// checkLevels compares the level files with the tree of the lines.
func (v *verification) checkLevels() {
	if v.treeSize < v.report.Sealed {
		v.says(KindTreeDamaged, "tree/0 has %d of %d hashes; the lines themselves hold (remove the folder tree/, and the next writer makes it anew)", v.treeSize, v.report.Sealed)
		return
	}
	for _, n := range v.nodes {
		if (n.pos+1)<<n.level > v.report.Sealed {
			continue
		}
		h, err := v.tree.stored(n.level/tileHeight, n.pos)
		if err != nil || h != n.hash {
			v.says(KindTreeDamaged, "tree/%d is wrong at hash %d; the lines themselves hold (remove the folder tree/, and the next writer makes it anew)", n.level/tileHeight, n.pos)
			return
		}
	}
}
