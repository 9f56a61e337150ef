package trail

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"
)

// lookEvery is how often the live file's path is compared with its descriptor.
const lookEvery = time.Second

// Why the live file is not what it was.
var (
	errDeleted  = errors.New("the live segment was deleted")
	errReplaced = errors.New("another file took the live segment's place")
	errShrunk   = errors.New("the live segment was made shorter")
	// errNotDurable: nothing in the file is known to be durable.
	errNotDurable = errors.New("what an earlier process wrote could not be made durable")
)

// examine finds out whether somebody else changed the live file: its length
// before every write, its name once a second. t.mu is held.
func (t *Trail) examine(mono time.Duration) {
	s := t.live
	if s.bad != nil {
		return
	}
	if info, err := s.file.Stat(); err != nil {
		s.bad = err
		return
	} else if info.Size() != s.end.off {
		t.resized(info.Size())
	}
	if s.bad != nil || t.looked != 0 && mono-t.looked < lookEvery {
		return
	}
	t.looked = max(mono, 1)
	named, err := t.fs.Lstat(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.bad = errDeleted
	case err != nil:
		s.bad = err
	case !os.SameFile(named, s.id):
		s.bad = errReplaced
	}
}

// resized deals with a live file of another length than we gave it.
func (t *Trail) resized(size int64) {
	s := t.live
	if size < s.end.off {
		s.bad = errShrunk
		return
	}
	extra := make([]byte, min(size-s.end.off, maxSample))
	n, _ := s.file.ReadAt(extra, s.end.off)
	if err := s.file.Truncate(s.end.off); err != nil {
		s.bad = fmt.Errorf("cut off foreign bytes: %w", err)
		return
	}
	t.remark("replaced", slog.String("reason", "grown"), slog.String("segment", segmentName(s.first)),
		slog.Int64("cut", size-s.end.off), slog.String("tail", sample(extra[:n])), slog.Uint64("seq", s.end.seq))
}

// remains returns where the whole lines of a shortened file end.
func (s *segfile) remains() point {
	at := s.begin
	scan := newScanner(s.file, 0, nil)
	for at.lines < s.end.lines {
		line, _, err := scan.next()
		if err != nil && err != errLongLine {
			break
		}
		at.lines++
		at.off = scan.off
		if seq, ok := lineSeq(line); ok {
			at.seq = seq
		}
	}
	return at
}

// shrinkLoss is what is gone for good from a shortened file: durable lines
// that it holds no more.
func (s *segfile) shrinkLoss() (lines uint64, lost span) {
	have := s.remains()
	if have.lines >= s.durable.lines {
		return 0, span{1, 0}
	}
	return s.durable.lines - have.lines, span{have.seq + 1, s.durable.seq}
}
