package seal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tooltrail/tooltrail/trail"
)

// A part is what one segment holds.
type part struct {
	seg    trail.Segment
	lines  uint64 // those that belong to the trail
	size   int64  // bytes of these lines
	torn   bool   // there is more behind the last whole line
	rng    compactRange
	at     []compactRange // rng at the sizes of marks that lie in it
	sizes  []uint64
	nodes  []treeNode // whole tiles
	differ bool       // a line is not the one that tree/0 says
	notes  []keptLine
	stubs  []keptLine
}

// A keptLine is a line that the verification has to look at.
type keptLine struct {
	index  uint64
	number uint64 // in the segment, from 1
	off    int64
	part   *part
	line   []byte
}

// hashSegments hashes all lines, several segments at once.
func (v *verification) hashSegments(ctx context.Context) error {
	v.parts = make([]*part, len(v.segs))
	errs := make([]error, len(v.segs))
	var total int64
	for _, s := range v.segs {
		total += s.Size
	}
	var done atomic.Int64
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(v.opts.Workers, len(v.segs)) {
		wg.Go(func() {
			buf := make([]byte, 1+verifyBuffer)
			for {
				i := int(next.Add(1)) - 1
				if i >= len(v.segs) || ctx.Err() != nil {
					return
				}
				p := newPart(v.segs[i], v.marks)
				v.parts[i] = p
				errs[i] = p.hash(ctx, v.tree, v.treeSize, v.report.Sealed, buf, &done)
			}
		})
	}
	finished := make(chan struct{})
	go func() { wg.Wait(); close(finished) }()
	v.showProgress(finished, &done, total)
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// verifyBuffer is how much of a segment is read at once, in bytes.
const verifyBuffer = 512 << 10

func newPart(seg trail.Segment, marks []mark) *part {
	p := &part{seg: seg, rng: compactRange{begin: seg.First, end: seg.First}}
	p.rng.seen = func(n treeNode) { p.nodes = append(p.nodes, n) }
	for _, m := range marks {
		inside := m.Size > seg.First && (seg.Next == 0 || m.Size <= seg.Next)
		if n := len(p.sizes); inside && (n == 0 || p.sizes[n-1] != m.Size) {
			p.sizes = append(p.sizes, m.Size)
		}
	}
	return p
}

// hash reads the segment and grows the range. Leaves are compared with tree/0
// as far as the seal goes.
func (p *part) hash(ctx context.Context, tree *Tree, treeSize, sealed uint64, buf []byte, done *atomic.Int64) error {
	f, err := openRead(p.seg.Path)
	if err != nil {
		if os.IsNotExist(err) {
			return nil // pruned meanwhile, or removed: its lines are missing
		}
		return err
	}
	defer f.Close()
	want := &leafReader{tree: tree, next: p.seg.First, end: min(treeSize, sealed)}
	for off := int64(0); ctx.Err() == nil; {
		n, err := f.ReadAt(buf[1:], off)
		if err != nil && err != io.EOF {
			return fmt.Errorf("read %s: %w", p.seg.Path, err)
		}
		used := p.hashLines(buf[:1+n], off, want)
		done.Add(int64(used))
		off += int64(used)
		p.size = off
		switch {
		case p.full():
			return nil
		case used == 0 && n == len(buf)-1:
			buf = make([]byte, 2*len(buf)) // a line that no writer of ours made
		case err == io.EOF || n == 0:
			p.torn = used < n
			return nil
		}
	}
	return nil
}

// full reports whether all lines up to the next segment have come.
func (p *part) full() bool { return p.seg.Next != 0 && p.rng.end >= p.seg.Next }

// hashLines takes whole lines from buf, behind its spare first byte, and
// returns how many bytes they are.
func (p *part) hashLines(buf []byte, off int64, want *leafReader) (used int) {
	for !p.full() {
		end := 1 + bytes.IndexByte(buf[1:], '\n')
		if end == 0 {
			break
		}
		line := buf[1:end]
		buf[0] = 0
		leaf := tlog.Hash(sha256.Sum256(buf[:end]))
		p.look(line, &leaf, off+int64(used))
		expected, ok := want.leaf()
		p.differ = p.differ || ok && expected != leaf
		p.rng.add(leaf)
		p.lines++
		if len(p.at) < len(p.sizes) && p.rng.end == p.sizes[len(p.at)] {
			p.at = append(p.at, p.rng.clone())
		}
		buf = buf[end:]
		used += end
	}
	return used
}

var notePrefix = []byte(`{"note":"`)

// look keeps what verification has to know of: notes, and the stubs of erased
// lines, for which the leaf is the one that they name.
func (p *part) look(line []byte, leaf *tlog.Hash, off int64) {
	if len(line) < 3 || line[1] != '"' || line[2] == 't' {
		return
	}
	kept := keptLine{index: p.rng.end, number: p.lines + 1, off: off, part: p}
	switch {
	case bytes.HasPrefix(line, notePrefix):
		kept.line = bytes.Clone(line)
		p.notes = append(p.notes, kept)
	case bytes.HasPrefix(line, stubPrefix):
		if h, ok := stubLeaf(line); ok {
			kept.line = bytes.Clone(line)
			p.stubs = append(p.stubs, kept)
			*leaf = h
		}
	}
}

// A leafReader reads tree/0 in order.
type leafReader struct {
	tree *Tree
	next uint64
	end  uint64
	buf  []byte
}

// leaf returns the next leaf; ok is false behind the last.
func (r *leafReader) leaf() (h tlog.Hash, ok bool) {
	if len(r.buf) == 0 {
		if r.next >= r.end || r.tree.files[0] == nil {
			return h, false
		}
		r.buf = make([]byte, min(r.end-r.next, 4096)*tlog.HashSize)
		n, _ := r.tree.files[0].ReadAt(r.buf, int64(r.next)*tlog.HashSize)
		r.buf = r.buf[:n-n%tlog.HashSize]
		if len(r.buf) == 0 {
			r.end = r.next
			return h, false
		}
	}
	h = tlog.Hash(r.buf[:tlog.HashSize])
	r.buf = r.buf[tlog.HashSize:]
	r.next++
	return h, true
}
