package trail

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/internal/durable"
)

// A recovery brings a trail back after its writer ended, in whatever way. It
// runs once, in Open, before anybody else knows the trail.
type recovery struct {
	t       *Trail
	seq     uint64 // last number used up so far
	torn    int64  // bytes cut
	tail    []byte // where they began
	kept    string // name of the file that holds them all
	saved   int    // whole lines kept from behind a hole
	lost    []loss
	stopped bool     // the last line is a stop note
	empty   bool     // there are no lines
	open    []string // closed segments that are now known to be complete
}

func (r *recovery) run() error {
	err := r.t.fs.Remove(filepath.Join(r.t.dir, stateDir, rescueName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("trail: open %s: %w", r.t.dir, err)
	}
	segs, err := Segments(r.t.dir)
	if err != nil {
		return err
	}
	if len(segs) == 0 {
		r.empty = true
		at, err := r.t.beginSeal(0)
		if err != nil {
			return err
		}
		r.t.live, err = r.t.create(at, 0)
		return err
	}
	last := len(segs) - 1
	if r.seq, err = seqBefore(segs[:last]); err != nil {
		return err
	}
	for i, s := range segs[:last] {
		before := *r
		whole, err := r.closed(segs[:i], s)
		if err != nil {
			return err
		}
		if behind := segs[i+1:]; !whole && !anyDone(behind) {
			*r = before
			if r.seq, err = seqBefore(segs[:i]); err != nil {
				return err
			}
			return r.last(s, behind)
		}
	}
	return r.last(segs[last], nil)
}

// anyDone reports whether a segment is known to be complete and durable. As
// syncs go from the oldest to the newest, those before it were durable then.
func anyDone(segs []Segment) bool {
	return slices.ContainsFunc(segs, func(s Segment) bool {
		info, err := os.Lstat(s.Path)
		return err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o200 == 0
	})
}

// seqBefore returns the last number used up in segments, read from the newest.
func seqBefore(segs []Segment) (uint64, error) {
	if len(segs) == 0 {
		return 0, nil
	}
	return seqThrough(segs)
}

// closed looks at a segment that has a successor. One that is writable was not
// known to be durable when its writer ended; what is missing in it is lost.
func (r *recovery) closed(before []Segment, s Segment) (whole bool, err error) {
	info, err := r.t.fs.Lstat(s.Path)
	if err != nil {
		return false, fmt.Errorf("trail: open %s: %w", s.Path, err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o200 == 0 {
		return true, nil
	}
	base, err := seqBefore(before)
	if err != nil {
		return false, err
	}
	f, err := durable.OpenRead(s.Path)
	if err != nil {
		return false, fmt.Errorf("trail: open %s: %w", s.Path, err)
	}
	defer f.Close()
	good, _, err := survey(f, point{seq: base}, s.Next-s.First)
	if err != nil {
		return false, fmt.Errorf("trail: open %s: %w", s.Path, err)
	}
	r.open = append(r.open, s.Path)
	if whole = good.lines >= s.Next-s.First; !whole {
		if first, ok := firstSpan(s.Next, r.t.dir); ok && first > good.seq+1 {
			r.lost = append(r.lost, loss{span{good.seq + 1, first - 1}, audit.LossKilled})
		}
	}
	return whole, nil
}

// firstSpan returns the first number that the segment at index first uses, by
// its first line that has one.
func firstSpan(first uint64, dir string) (seq uint64, ok bool) {
	for line, err := range ReadSegment(Segment{Path: filepath.Join(dir, segmentName(first)), First: first}) {
		if err != nil {
			return 0, false
		}
		if n, ok := lineSeq(line.Bytes); ok {
			if sp, _, ok := declared(line.Bytes); ok {
				return sp.first, true
			}
			if line.Kind() == Note {
				n++ // a note uses up no number itself
			}
			return n, true
		}
	}
	return 0, false
}

// survey walks over the whole lines of a file, at most limit of them (0 is no
// limit), up to the first that holds a NUL: a block that never reached the
// disk. It returns where they end, and whether the last one is a stop note.
func survey(f io.ReaderAt, at point, limit uint64) (good point, stopped bool, err error) {
	scan := newScanner(f, 0, nil)
	for limit == 0 || at.lines < limit {
		line, _, err := scan.next()
		if err == io.EOF {
			break
		}
		if err != nil && err != errLongLine {
			return at, stopped, err
		}
		if bytes.IndexByte(line, 0) >= 0 {
			break
		}
		kind := noteKind(line)
		if n, _ := numberAfter(line, formatKey); kind == "start" && n > Format {
			return at, false, fmt.Errorf("format %d: %w", n, ErrNewerFormat)
		}
		if seq, ok := lineSeq(line); ok {
			at.seq = max(at.seq, seq)
		}
		stopped = kind == "stop"
		at.off, at.lines = scan.off, at.lines+1
	}
	return at, stopped, nil
}

var formatKey = []byte(`,"format":`)

// last opens the newest segment for appending, cut back to its whole lines. A
// closed one is followed by a new one. Behind it may be segments that are not
// durable either, and that do not go on where it ends: a power cut took the
// lines between.
func (r *recovery) last(s Segment, behind []Segment) error {
	t := r.t
	info, err := t.fs.Lstat(s.Path)
	if err != nil {
		return fmt.Errorf("trail: open %s: %w", s.Path, err)
	}
	done := info.Mode().IsRegular() && info.Mode().Perm()&0o200 == 0
	f, err := r.openLast(s, done)
	if err != nil {
		return fmt.Errorf("trail: open %s: %w", s.Path, err)
	}
	good, stopped, err := survey(f, point{seq: r.seq}, 0)
	if err != nil {
		_ = f.Close()
		return fmt.Errorf("trail: open %s: %w", s.Path, err)
	}
	at, err := t.beginSeal(s.First + good.lines)
	if err != nil {
		_ = f.Close()
		return err
	}
	if len(behind) > 0 && at > s.First+good.lines {
		_ = f.Close()
		return fmt.Errorf("trail: open %s: the lines behind those that are given up are not durable", s.Path)
	}
	r.stopped, r.empty = stopped, s.First == 0 && good.lines == 0
	if done || at > s.First+good.lines {
		_ = f.Chmod(closedMode) // what it lacks is known
		_ = f.Close()
		t.live, err = t.create(at, good.seq)
		return err
	}
	t.live, err = newSegfile(f, s.Path, s.First, r.seq, madeAt(s.Path, info.ModTime()))
	if err != nil {
		_ = f.Close()
		return err
	}
	t.live.durable, t.live.end = good, good
	loose, err := r.moveAside(behind)
	if err == nil {
		err = r.cut(info.Size())
	}
	for i := 0; i < len(loose) && err == nil; i++ {
		r.torn += int64(len(loose[i]))
		err = r.salvage(loose[i])
	}
	if err != nil {
		return err
	}
	if err := f.Datasync(); err != nil {
		t.live.bad = fmt.Errorf("%w: %w", errNotDurable, err)
	}
	return nil
}

// openLast opens the newest segment: a closed one for reading only.
func (r *recovery) openLast(s Segment, done bool) (durable.File, error) {
	if !done {
		return r.t.fs.OpenAppend(s.Path, false)
	}
	f, err := durable.OpenRead(s.Path)
	if err != nil {
		return nil, err
	}
	return durable.OSFile{File: f}, nil
}

// moveAside takes segments out of the trail and returns what they hold. The
// newest goes first, so that a crash meanwhile leaves no new hole.
func (r *recovery) moveAside(segs []Segment) (contents [][]byte, err error) {
	wall, _ := r.t.opts.clock.now()
	for _, s := range slices.Backward(segs) {
		b, err := os.ReadFile(s.Path)
		if err != nil {
			return nil, fmt.Errorf("trail: open %s: %w", s.Path, err)
		}
		r.kept = tailPrefix + strconv.FormatUint(s.First, 10) + "-" + strconv.FormatInt(wall.UnixNano(), 10)
		if err := r.t.fs.Rename(s.Path, filepath.Join(r.t.dir, stateDir, r.kept)); err != nil {
			return nil, fmt.Errorf("trail: open %s: keep what is behind a hole: %w", s.Path, err)
		}
		contents = append(contents, b)
	}
	slices.Reverse(contents)
	return contents, nil
}

// cut removes what stands behind the whole lines of the live segment. Whole
// lines behind a hole are written again, right behind the good ones.
func (r *recovery) cut(size int64) error {
	s := r.t.live
	r.torn = size - s.end.off
	if r.torn <= 0 {
		return nil
	}
	tail := make([]byte, r.torn)
	if _, err := s.file.ReadAt(tail, s.end.off); err != nil {
		return fmt.Errorf("trail: open %s: %w", s.path, err)
	}
	r.tail = tail[:min(len(tail), maxSample)]
	if err := r.quarantine(tail); err != nil {
		return err
	}
	if err := s.file.Truncate(s.end.off); err != nil {
		return fmt.Errorf("trail: open %s: cut the torn tail: %w", s.path, err)
	}
	return r.salvage(tail)
}

// quarantine keeps a tail that is too long for the note. Pure NULs say nothing.
func (r *recovery) quarantine(tail []byte) error {
	if len(bytes.TrimRight(tail, "\x00")) <= maxSample {
		return nil
	}
	s := r.t.live
	wall, _ := r.t.opts.clock.now()
	r.kept = tailPrefix + strconv.FormatUint(s.next(), 10) + "-" + strconv.FormatInt(wall.UnixNano(), 10)
	if err := durable.WriteFile(filepath.Join(r.t.dir, stateDir, r.kept), tail); err != nil {
		return fmt.Errorf("trail: open %s: keep the torn tail: %w", s.path, err)
	}
	return nil
}

// salvage writes again the whole lines of a tail, and declares the numbers
// that are missing between them. Notes that take no part in the account are
// left out: what they spoke of did not come to pass.
func (r *recovery) salvage(tail []byte) error {
	s := r.t.live
	var keep []byte
	seq, lines := s.end.seq, 0
	for line := range (audit.Batch{Bytes: tail}).All() {
		if kindOf(line) == Unknown || bytes.IndexByte(line, 0) >= 0 || len(line) >= MaxLine {
			continue
		}
		n, ok := lineSeq(line)
		if !ok && kindOf(line) == Note {
			continue
		}
		if ok {
			first := n
			if sp, _, ok := declared(line); ok {
				first = sp.first
			}
			if kindOf(line) == Event && n <= seq {
				continue
			}
			if kindOf(line) == Event && first > seq+1 {
				r.lost = append(r.lost, loss{span{seq + 1, first - 1}, audit.LossKilled})
			}
			seq = max(seq, n)
		}
		keep = append(append(keep, line...), '\n')
		lines++
	}
	if lines == 0 {
		return nil
	}
	r.saved += lines
	_, err := r.t.append(keep, lines)
	return err
}

// say declares what was cut and what was lost.
func (r *recovery) say() error {
	t := r.t
	if t.live.bad != nil {
		if err := t.mend(); err != nil {
			return fmt.Errorf("trail: open %s: %w", t.dir, err)
		}
	}
	through, err := admittedThrough(t.dir)
	if err != nil {
		return fmt.Errorf("trail: open %s: %w", t.dir, err)
	}
	reason := audit.LossKilled
	if r.stopped {
		reason = audit.LossClosed
	}
	if through > t.live.end.seq {
		r.lost = append(r.lost, loss{span{t.live.end.seq + 1, through}, reason})
		t.live.end.seq = through
	}
	if r.empty && r.torn == 0 && len(r.lost) == 0 || r.stopped && r.torn == 0 && len(r.lost) == 0 {
		return nil
	}
	attrs := []slog.Attr{slog.Int64("torn", max(r.torn, 0))}
	if len(r.tail) > 0 {
		attrs = append(attrs, slog.String("tail", sample(r.tail)))
	}
	if r.kept != "" {
		attrs = append(attrs, slog.String("kept", r.kept))
	}
	if r.saved > 0 {
		attrs = append(attrs, slog.Int("saved", r.saved))
	}
	t.remarkLosses("recovered", attrs, r.lost)
	return t.flushRemarks()
}

// seal marks the closed segments that were looked through, once what they lack
// is declared.
func (r *recovery) seal() {
	for _, path := range r.open {
		if f, err := r.t.fs.OpenAppend(path, false); err == nil {
			if f.Datasync() == nil {
				_ = f.Chmod(closedMode)
			}
			_ = f.Close()
		}
	}
}
