package seal

import (
	"errors"
	"fmt"
	"io"

	"github.com/tooltrail/tooltrail/internal/durable"
	"github.com/tooltrail/tooltrail/trail"
)

// restore opens the tree at the size of the newest checkpoint, and hashes the
// lines behind it up to next. Where a crash left the files short or wrong,
// they are made again from the lines.
func (s *Sealer) restore(next uint64) error {
	if next < s.signed.Size {
		return &BrokenError{s.signed.Size, next, ErrMissing}
	}
	segs, err := trail.Segments(s.dir)
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	if s.tree, err = s.open(); err != nil {
		if !errors.Is(err, errTreeShort) && !errors.Is(err, errTreeWrong) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		if err = s.remake(segs); err != nil {
			return err
		}
	}
	err = s.checkEdges(segs)
	if err != nil && s.checkLevels(0) != nil { // the tree may be what is wrong
		s.tree.close()
		if rerr := s.remake(segs); rerr != nil {
			return err
		}
		err = s.checkEdges(segs)
	}
	if err == nil {
		err = s.catchUpWith(next)
	}
	if err != nil {
		s.tree.close()
	}
	return err
}

// remake makes the tree again from as few lines as it takes.
func (s *Sealer) remake(segs []trail.Segment) (err error) {
	for _, from := range s.firmGround(segs) {
		if s.tree, err = s.rebuild(from); err == nil {
			return nil
		}
	}
	return err
}

var errTreeWrong = errors.New("the tree's root is not the one that is signed")

// open opens the level files as they are, if they have the signed root.
func (s *Sealer) open() (*grower, error) {
	tree, err := openGrower(s.fs, s.dir, s.signed.Size)
	if err != nil {
		return nil, err
	}
	if err := s.checkRoot(); err != nil {
		tree.close()
		return nil, err
	}
	return tree, nil
}

func (s *Sealer) checkRoot() error {
	if s.signed.Size == 0 {
		return nil
	}
	root, err := s.root(s.signed.Size)
	if err != nil {
		return fmt.Errorf("%w: %w", errTreeWrong, err)
	}
	if root != s.signed.Root {
		return errTreeWrong
	}
	return s.checkLevels(s.synced())
}

// checkLevels compares each group of hashes, from a leaf on, with its hash in
// the level above; the root is made of the uppermost only. What was not made
// durable yet is what a power cut can have harmed.
func (s *Sealer) checkLevels(from uint64) error {
	t, err := OpenTree(s.dir)
	if err != nil {
		return err
	}
	defer t.Close()
	buf := make([]byte, tileBytes)
	for level := 0; s.signed.Size>>(tileHeight*(level+1)) > 0; level++ {
		up := tileHeight * (level + 1)
		for i := from >> up; i < s.signed.Size>>up; i++ {
			want, err := t.node(up, int64(i))
			if _, rerr := t.files[level].ReadAt(buf, int64(i)*tileBytes); err != nil || rerr != nil || fold(buf) != want {
				return errTreeWrong
			}
		}
	}
	return nil
}

// synced returns the size at which the tree was last made durable, as far as
// the history tells: that of the last checkpoint of an epoch that is over, or
// of the one with which the trail was closed.
func (s *Sealer) synced() (size uint64) {
	now, _, _ := epochOf(s.newestNote())
	last := uint64(0)
	for e, err := range History(s.dir) {
		if n, _, nerr := epochOf([]byte(e.Note)); err == nil && nerr == nil && n < now {
			size = max(size, e.Size)
		}
		last = e.Size
	}
	if last == s.signed.Size && s.wasClosed() {
		return last
	}
	return size
}

// wasClosed reports whether the last line is a stop note.
func (s *Sealer) wasClosed() bool {
	segs, err := trail.Segments(s.dir)
	if err != nil || len(segs) == 0 {
		return false
	}
	f, err := durable.OpenRead(segs[len(segs)-1].Path)
	if err != nil {
		return false
	}
	defer f.Close()
	buf := make([]byte, 4096)
	n, _ := f.ReadAt(buf, max(0, segs[len(segs)-1].Size-int64(len(buf))))
	return (trail.Line{Bytes: lastLine(buf[:n])}).Note() == "stop"
}

// firmGround returns the sizes from which on the tree may be made again: the
// start of the last segment, which is what a power cut can have harmed, and
// that of the first, where all lines are read.
func (s *Sealer) firmGround(segs []trail.Segment) []uint64 {
	if len(segs) == 0 {
		return nil
	}
	first, last := segs[0].First, segs[len(segs)-1].First
	if last == first || last > s.signed.Size {
		return []uint64{first}
	}
	return []uint64{last, first}
}

// rebuild makes the tree again from the line at index from on.
func (s *Sealer) rebuild(from uint64) (*grower, error) {
	tree, err := openGrower(s.fs, s.dir, from)
	if err != nil {
		return nil, &BrokenError{s.signed.Size, from, fmt.Errorf("%w: %w", ErrChanged, err)}
	}
	err = s.refill(tree, from)
	if err == nil {
		err = tree.sync()
	}
	if err == nil && (s.checkRoot() != nil || s.checkLevels(0) != nil) {
		err = &BrokenError{s.signed.Size, from, ErrChanged}
	}
	if err != nil {
		tree.close()
		return nil, err
	}
	return tree, nil
}

// refill appends the leaves of sealed lines. The stub of an erased line names
// its leaf; that the root comes out right shows that it names the true one.
func (s *Sealer) refill(tree *grower, from uint64) error {
	next := from
	for line, err := range trail.Read(s.dir, &trail.ReadOptions{From: from}) {
		if next == s.signed.Size {
			break
		}
		if err != nil || line.Index != next {
			return &BrokenError{s.signed.Size, next, ErrMissing}
		}
		leaf, ok := stubLeaf(line.Bytes)
		if !ok {
			leaf = LeafHash(line.Bytes)
		}
		tree.append(leaf)
		next++
		if next%flushEvery == 0 {
			if err := tree.flush(); err != nil {
				return err
			}
		}
	}
	if next < s.signed.Size {
		return &BrokenError{s.signed.Size, next, ErrMissing}
	}
	return tree.flush()
}

// checkEdges compares the first and the last line of every segment with the
// tree, which finds a segment that is missing or was shortened.
func (s *Sealer) checkEdges(segs []trail.Segment) error {
	t, err := OpenTree(s.dir)
	if err != nil {
		return err
	}
	defer t.Close()
	for _, seg := range segs {
		if err := s.checkSegment(t, seg); err != nil {
			return err
		}
	}
	return nil
}

func (s *Sealer) checkSegment(t *Tree, seg trail.Segment) error {
	if seg.First >= s.signed.Size || s.wasAccepted(seg) {
		return nil
	}
	f, err := durable.OpenRead(seg.Path)
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	defer f.Close()
	buf := make([]byte, trail.MaxLine+1)
	n, err := f.ReadAt(buf, 0)
	if err != nil && err != io.EOF {
		return fmt.Errorf("seal: %w", err)
	}
	if !sameLeaf(t, seg.First, firstLine(buf[:n])) {
		return &BrokenError{s.signed.Size, seg.First, ErrChanged}
	}
	if seg.Next == 0 || seg.Next > s.signed.Size {
		return nil
	}
	n, err = f.ReadAt(buf, max(0, seg.Size-int64(len(buf))))
	if err != nil && err != io.EOF {
		return fmt.Errorf("seal: %w", err)
	}
	if sameLeaf(t, seg.Next-1, lastLine(buf[:n])) {
		return nil
	}
	return s.countLines(seg) // the file may go on behind what counts
}

// countLines fails where a segment has fewer lines than its successor's name
// says.
func (s *Sealer) countLines(seg trail.Segment) error {
	next := seg.First
	for line, err := range trail.ReadSegment(seg) {
		if err != nil {
			return &BrokenError{s.signed.Size, next, ErrMissing}
		}
		next = line.Index + 1
	}
	return nil
}

func sameLeaf(t *Tree, i uint64, line []byte) bool {
	leaf, ok := stubLeaf(line)
	if !ok {
		leaf = LeafHash(line)
	}
	want, err := t.Leaf(i)
	return err == nil && leaf == want
}

// catchUpWith hashes the lines behind the checkpoint.
func (s *Sealer) catchUpWith(next uint64) error {
	if err := s.tree.cut(s.signed.Size); err != nil {
		return err
	}
	if next == s.signed.Size {
		return nil
	}
	return hashLines(s.tree, s.dir, s.signed.Size, next)
}
