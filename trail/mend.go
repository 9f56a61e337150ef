package trail

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/internal/durable"
)

// LossRemoved: somebody deleted or shortened a segment after it was written.
const LossRemoved audit.LossReason = "removed"

// mend puts a new segment in the place of a live one that cannot be written
// any more, and writes anew what may have been lost with it. Until that works
// nothing changes, and mend may be tried again. t.mu is held.
func (t *Trail) mend() error {
	s := t.live
	gone := errors.Is(s.bad, errDeleted) || errors.Is(s.bad, errReplaced)
	from, lost, missing := s.durable, []loss(nil), uint64(0)
	switch {
	case errors.Is(s.bad, errNotDurable):
		from = s.begin
	case gone:
		from = s.begin
		more, err := t.reclaim(s)
		if err != nil {
			return err
		}
		lost = append(lost, more...)
	case errors.Is(s.bad, errShrunk):
		var sp span
		missing, sp = s.shrinkLoss()
		lost = append(lost, loss{sp, LossRemoved})
	}
	fresh, more, err := t.rescue(s, from)
	if err != nil {
		return err
	}
	if fresh.next() != s.next() {
		if err := t.reseal(fresh); err != nil {
			return err
		}
	}
	t.live = fresh
	s.retire()
	t.looked = 0
	missing += s.end.lines - from.lines - fresh.end.lines
	t.sayMended(s, fresh, append(lost, more...), missing)
	return nil
}

// A loss is a run of lost events, and why they are lost.
type loss struct {
	span
	reason audit.LossReason
}

// reclaim makes the trail's directory and takes its lock where they are gone.
// It returns what went with them.
func (t *Trail) reclaim(s *segfile) (lost []loss, err error) {
	_, err = t.fs.Lstat(filepath.Join(t.dir, stateDir, lockName))
	if err == nil {
		return nil, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := t.fs.Mkdir(filepath.Join(t.dir, stateDir)); err != nil {
		return nil, err
	}
	l, err := takeLock(t.dir)
	if err != nil {
		return nil, err
	}
	_ = t.lock.Close()
	t.lock = l
	if err := checkFormat(t.dir); err != nil {
		return nil, err
	}
	segs, err := Segments(t.dir)
	if err == nil && len(segs) == 0 && s.begin.seq > 0 {
		lost = append(lost, loss{span{1, s.begin.seq}, LossRemoved})
	}
	return lost, err
}

// rescue makes a durable segment of the lines of s from a point on, and
// returns it open for appending. Lines that can be had neither from memory nor
// from the file are lost. The new file appears under its name only when it is
// whole, so that a crash leaves the old one. t.mu is held.
func (t *Trail) rescue(s *segfile, from point) (*segfile, []loss, error) {
	tmp := filepath.Join(t.dir, stateDir, rescueName)
	if err := t.fs.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	f, err := t.fs.OpenAppend(tmp, true)
	if err != nil {
		return nil, nil, err
	}
	path := filepath.Join(t.dir, segmentName(s.first+from.lines))
	fresh, lost, err := t.refill(f, path, s, from)
	if err == nil {
		err = t.makeWay(path, s.id)
	}
	if err == nil {
		err = t.fs.Rename(tmp, path)
	}
	if err != nil {
		_ = f.Close()
		_ = t.fs.Remove(tmp)
		return nil, nil, fmt.Errorf("trail: rewrite %s: %w", s.path, err)
	}
	return fresh, lost, nil
}

// refill copies the lines of s from a point on into f and makes them durable.
func (t *Trail) refill(f durable.File, path string, s *segfile, from point) (*segfile, []loss, error) {
	wall, _ := t.opts.clock.now()
	fresh, err := newSegfile(f, path, s.first+from.lines, from.seq, wall)
	if err != nil {
		return nil, nil, err
	}
	var lost []loss
	if from.off < s.durable.off {
		if err := copyLines(fresh, s); err != nil {
			return nil, nil, err
		}
		if fresh.end.off < s.durable.off {
			lost = append(lost, loss{span{fresh.end.seq + 1, s.durable.seq}, audit.LossWriteFailed})
		}
	}
	for i := range s.chunks {
		b, err := s.recall(i)
		if err != nil {
			lost = append(lost, loss{span{s.start(i).seq + 1, s.chunks[i].end.seq}, audit.LossWriteFailed})
			continue
		}
		if _, err := fresh.write(b, int(s.chunks[i].end.lines-s.start(i).lines)); err != nil {
			return nil, nil, err
		}
	}
	if err := f.Datasync(); err != nil {
		return nil, nil, err
	}
	fresh.end.seq = s.end.seq // lost numbers are used up too
	fresh.settle(fresh.seal())
	fresh.durable = fresh.end
	return fresh, lost, nil
}

// copyLines copies the durable part of s, as far as it can be read.
func copyLines(fresh, s *segfile) error {
	buf := make([]byte, 1<<20)
	for off := int64(0); off < s.durable.off; {
		n, _ := s.file.ReadAt(buf[:min(int64(len(buf)), s.durable.off-off)], off)
		b := buf[:bytes.LastIndexByte(buf[:n], '\n')+1]
		if len(b) == 0 {
			return nil
		}
		if _, err := fresh.write(b, bytes.Count(b, newline)); err != nil {
			return err
		}
		fresh.settle(fresh.seal()) // no copies are needed
		off += int64(len(b))
	}
	return nil
}

// makeWay moves aside what stands under a segment's name, unless it is the
// file own, which the segment replaces.
func (t *Trail) makeWay(path string, own fs.FileInfo) error {
	named, err := t.fs.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || own != nil && os.SameFile(named, own) {
		return err
	}
	wall, _ := t.opts.clock.now()
	aside := foreignName + filepath.Base(path) + "-" + strconv.FormatInt(wall.UnixNano(), 10)
	return t.fs.Rename(path, filepath.Join(t.dir, stateDir, aside))
}

// sayMended writes, before the next line, what happened to s.
func (t *Trail) sayMended(s, fresh *segfile, lost []loss, missing uint64) {
	reason, kind := "", "replaced"
	switch {
	case errors.Is(s.bad, errDeleted):
		reason = "deleted"
	case errors.Is(s.bad, errReplaced):
		reason = "replaced"
	case errors.Is(s.bad, errShrunk):
		reason = "shrunk"
	default:
		reason, kind = s.bad.Error(), "degraded"
		t.degrade(s.bad)
	}
	attrs := []slog.Attr{slog.String("reason", reason), slog.String("segment", segmentName(s.first)),
		slog.String("new_segment", segmentName(fresh.first)), slog.Uint64("moved", fresh.end.lines)}
	if missing > 0 {
		attrs = append(attrs, slog.Uint64("missing", missing))
	}
	t.remarkLosses(kind, attrs, lost)
}

// remarkLosses writes a note; the losses, if any, stand on it and on as many
// more of its kind as it takes.
func (t *Trail) remarkLosses(kind string, attrs []slog.Attr, lost []loss) {
	wall, _ := t.opts.clock.now()
	said := false
	for _, l := range lost {
		if l.count() == 0 {
			continue
		}
		t.remark(kind, append(attrs[:len(attrs):len(attrs)],
			slog.Uint64("seq", t.live.end.seq), lossAttr(l.span, l.reason, wall))...)
		said = true
	}
	if !said {
		t.remark(kind, append(attrs, slog.Uint64("seq", t.live.end.seq))...)
	}
}

// takeLock locks a trail's directory.
func takeLock(dir string) (*durable.Lock, error) {
	l, err := durable.TakeLock(filepath.Join(dir, stateDir, lockName))
	var held *durable.HeldError
	if errors.As(err, &held) {
		return nil, &InUseError{Dir: dir, PID: held.PID}
	}
	if err != nil {
		return nil, fmt.Errorf("trail: %w", err)
	}
	return l, nil
}
