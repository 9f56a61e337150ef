package seal

import (
	"cmp"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tooltrail/tooltrail/trail"
)

// name says what is wrong with the lines, as closely as can be told.
func (v *verification) name() {
	if !v.differs && len(v.missing) == 0 {
		v.nameWrong()
		return
	}
	if !v.treeHolds() {
		if len(v.wrong) == 0 && len(v.missing) == 0 {
			v.nameTree()
			return
		}
		v.nameMissing()
		if len(v.report.Findings) == 0 || v.differs {
			v.nameInterval()
		}
		return
	}
	for _, p := range v.parts {
		if p.differ {
			v.nameLines(p)
		}
	}
	v.nameMissing()
}

// treeHolds reports whether tree/0 has the root that was signed last: then its
// hashes are those of the lines as they were.
func (v *verification) treeHolds() bool {
	i := slices.IndexFunc(v.marks, func(m mark) bool { return !m.anchor && m.Size == v.report.Sealed })
	if i < 0 || v.treeSize < v.report.Sealed {
		return false
	}
	var all compactRange
	leaves := &leafReader{tree: v.tree, end: v.report.Sealed}
	for leaf, ok := leaves.leaf(); ok; leaf, ok = leaves.leaf() {
		all.add(leaf)
	}
	return all.end == v.report.Sealed && all.root() == v.marks[i].Root
}

// nameWrong deals with roots that are wrong although lines and tree agree.
func (v *verification) nameWrong() {
	newestWrong := slices.ContainsFunc(v.wrong, func(m mark) bool { return !m.anchor && m.Size == v.report.Sealed })
	if newestWrong {
		v.nameInterval()
		return
	}
	for _, m := range v.wrong {
		v.find(Finding{Kind: KindFork, Line: v.lastGood(m.Size), Count: m.Size - v.lastGood(m.Size),
			Says: fmt.Sprintf("%s, for %d lines, is validly signed and says something else: the history was written anew", m.what, m.Size)})
	}
}

// lastGood returns the greatest size below another whose root is right.
func (v *verification) lastGood(below uint64) (size uint64) {
	for _, m := range v.marks {
		if m.Size < below && !slices.ContainsFunc(v.wrong, func(w mark) bool { return w.Size == m.Size }) {
			size = max(size, m.Size)
		}
	}
	return size
}

// nameInterval names the lines between the last root that is right and the
// first that is wrong: the tree does not tell more.
func (v *verification) nameInterval() {
	if len(v.wrong) == 0 {
		return
	}
	first := slices.MinFunc(v.wrong, func(a, b mark) int { return cmp.Compare(a.Size, b.Size) })
	good := v.lastGood(first.Size)
	f := Finding{Kind: KindRootMismatch, Line: good, Count: first.Size - good,
		Says: fmt.Sprintf("something among the lines %d to %d is not what was sealed; the tree was changed too and does not tell what", good, first.Size-1)}
	for _, p := range v.parts {
		if p.seg.First <= good && good < p.rng.end {
			f.Segment = p.name()
			f.InFile = good - p.seg.First + 1
			f.Offset = offsetOf(p.seg, good)
		}
	}
	v.find(f)
}

// nameTree says that only tree/0 is wrong.
func (v *verification) nameTree() {
	v.says(KindTreeDamaged, "tree/0 is not that of the lines; the lines themselves hold (remove the folder tree/, and the next writer makes it anew)")
}

// nameMissing judges the lines that are not there.
func (v *verification) nameMissing() {
	for _, r := range v.missing {
		switch {
		case r.First == 0 && v.pruned() == r.Next:
			v.report.Pruned = r.Next
		case v.coveredBy(r, v.accepted):
			if !v.opts.AllowDeclared {
				v.findMissing(KindDeclaredMissing, r, "are missing or changed; this was declared in the trail")
			}
		case v.explained(r):
		case r.First == 0 && len(v.parts) > 0:
			v.findMissing(KindPruneUndeclared, r, "are missing at the front, and no sealed note says that they were pruned")
		case r.Next == v.report.Sealed && r.First == v.end():
			v.findMissing(KindTruncated, r, "were sealed and are missing at the end")
		default:
			v.findMissing(KindMissingSegment, r, "were sealed and are missing: a segment was removed or cut short")
		}
	}
}

func (v *verification) findMissing(kind Kind, r Range, says string) {
	f := Finding{Kind: kind, Line: r.First, Count: r.Next - r.First}
	f.Says = fmt.Sprintf("the lines %d to %d of the trail (counted from 0) %s", r.First, r.Next-1, says)
	for _, p := range v.parts {
		if p.seg.First <= r.First && r.First <= p.rng.end {
			f.Segment, f.InFile, f.Offset = p.name(), r.First-p.seg.First+1, p.size
		}
	}
	v.find(f)
}

// explained reports whether the lines are missing at the end of a segment in
// which something else was found: a line that was removed moves up the others.
func (v *verification) explained(r Range) bool {
	return slices.ContainsFunc(v.parts, func(p *part) bool { return p.differ && p.rng.end == r.First })
}

func (v *verification) coveredBy(r Range, by []Range) bool {
	for _, a := range by {
		if a.First <= r.First && r.First < a.Next {
			r.First = a.Next
		}
	}
	return r.First >= r.Next
}

// pruned returns the index up to which a sealed note says that lines were
// pruned.
func (v *verification) pruned() (next uint64) {
	for _, n := range v.sealedNotes() {
		if (trail.Line{Bytes: n.line}).Note() == "prune" {
			var r Range
			if unmarshal(n.line, &r) {
				next = max(next, r.Next)
			}
		}
	}
	return next
}

// nameLines compares a segment's lines with the hashes of those that were
// sealed, one by one.
func (v *verification) nameLines(p *part) {
	next := v.report.Sealed
	if p.seg.Next != 0 {
		next = min(next, p.seg.Next)
	}
	want := make([]tlog.Hash, 0, next-p.seg.First)
	leaves := &leafReader{tree: v.tree, next: p.seg.First, end: next}
	for h, ok := leaves.leaf(); ok; h, ok = leaves.leaf() {
		want = append(want, h)
	}
	have, offsets, err := allLines(p.seg)
	if err != nil {
		v.says(KindChanged, "%s cannot be read again: %v", p.name(), err)
		return
	}
	d := diffLines(want, have)
	f := Finding{Kind: d.kind, Segment: p.name(), Line: p.seg.First + uint64(d.at), InFile: uint64(d.at) + 1,
		Offset: offsets[min(d.at, len(offsets)-1)], Count: uint64(d.count)}
	lines, are, were := fmt.Sprintf("line %d", f.InFile), "is", "was"
	if d.count > 1 {
		lines, are, were = fmt.Sprintf("lines %d to %d", f.InFile, f.InFile+f.Count-1), "are", "were"
	}
	switch d.kind {
	case KindRemoved:
		f.Says = fmt.Sprintf("%d sealed lines are missing in front of line %d", d.count, f.InFile)
		if d.count == 1 {
			f.Says = fmt.Sprintf("a sealed line is missing in front of line %d", f.InFile)
		}
	case KindInserted:
		f.Says = lines + " " + were + " not there when the trail was sealed"
	case KindReordered:
		f.Says = lines + " stood in another order when they were sealed"
	default:
		f.Says = lines + " " + are + " not what was sealed"
		if v.coveredBy(Range{f.Line, f.Line + f.Count}, v.accepted) {
			if v.opts.AllowDeclared {
				return
			}
			f.Kind, f.Says = KindDeclaredMissing, f.Says+"; this was declared in the trail"
		} else if _, ok := v.redactions[f.Line]; ok && d.count == 1 {
			f.Kind, f.Says = KindRedactionHalf, lines+" was to be erased, and that is not finished: erase it again"
		}
	}
	v.find(f)
}

// A lineDiff is where lines begin to be others, and how.
type lineDiff struct {
	kind      Kind
	at, count int
}

// diffLines finds out how have came from want. There is a difference; have may
// go on behind what was sealed.
func diffLines(want, have []tlog.Hash) lineDiff {
	at := 0
	for at < len(want) && at < len(have) && want[at] == have[at] {
		at++
	}
	if at < len(have) {
		if k := indexHash(want[at:], have[at]); k > 0 && startsWith(have[at:], want[at+k:]) {
			return lineDiff{KindRemoved, at, k}
		}
	}
	if at < len(want) {
		if k := indexHash(have[at:], want[at]); k > 0 && startsWith(have[at+k:], want[at:]) {
			return lineDiff{KindInserted, at, k}
		}
	}
	end := min(len(want), len(have))
	for end > at && want[end-1] == have[end-1] {
		end--
	}
	if sameSet(want[at:end], have[at:end]) {
		return lineDiff{KindReordered, at, end - at}
	}
	return lineDiff{KindChanged, at, end - at}
}

func indexHash(list []tlog.Hash, h tlog.Hash) int { return slices.Index(list, h) }

func startsWith(list, prefix []tlog.Hash) bool {
	return len(list) >= len(prefix) && slices.Equal(list[:len(prefix)], prefix)
}

func sameSet(a, b []tlog.Hash) bool {
	count := map[tlog.Hash]int{}
	for i := range a {
		count[a[i]]++
		count[b[i]]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}
