package trail

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// prune deletes the oldest closed segments that are over the limits, after a
// durable note that names them. It runs on the syncer's goroutine.
func (t *Trail) prune() error {
	if t.opts.KeepAge <= 0 && t.opts.KeepBytes <= 0 {
		return nil
	}
	segs, err := Segments(t.dir)
	if err != nil {
		return err
	}
	wall, _ := t.opts.clock.now()
	n := t.surplus(segs, wall)
	if n == 0 {
		return nil
	}
	if err := t.sayPrune(segs[:n]); err != nil {
		return err
	}
	if err := t.syncAll(); err != nil {
		return err
	}
	for _, s := range segs[:n] { // durably one by one: after a power cut none may be back without its successor
		if err := t.fs.Remove(s.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := t.fs.SyncDir(t.dir); err != nil {
			return err
		}
	}
	return nil
}

// surplus returns how many segments, from the oldest, are to go. What is not
// known to be durable stays.
func (t *Trail) surplus(segs []Segment, wall time.Time) (n int) {
	t.mu.Lock()
	oldest := t.live.first
	if len(t.rotated) > 0 {
		oldest = t.rotated[0].first
	}
	t.mu.Unlock()
	var total int64
	for _, s := range segs {
		total += s.Size
	}
	for _, s := range segs {
		if s.First >= oldest {
			break
		}
		over := t.opts.KeepBytes > 0 && total > t.opts.KeepBytes
		if !over && !(t.opts.KeepAge > 0 && olderThan(s.Path, wall.Add(-t.opts.KeepAge))) {
			break
		}
		total -= s.Size
		n++
	}
	return n
}

func olderThan(path string, limit time.Time) bool {
	info, err := os.Stat(path)
	return err == nil && info.ModTime().Before(limit)
}

// sayPrune names the segments that are about to be deleted, and the last
// sequence number that goes with them.
func (t *Trail) sayPrune(segs []Segment) error {
	names := make([]string, 0, len(segs))
	var bytes int64
	for _, s := range segs {
		if len(names) < 1000 { // the note is one line
			names = append(names, filepath.Base(s.Path))
		}
		bytes += s.Size
	}
	last := segs[len(segs)-1]
	through, err := seqThrough(segs)
	if err != nil {
		return fmt.Errorf("trail: prune: %w", err)
	}
	return t.Note("prune", slog.Any("segments", names), slog.Uint64("first", segs[0].First),
		slog.Uint64("next", last.Next), slog.Int64("bytes", bytes), slog.Uint64("through_seq", through))
}

// seqThrough returns the last sequence number that the segments used up.
func seqThrough(segs []Segment) (uint64, error) {
	for i := len(segs) - 1; i >= 0; i-- {
		if seq := seqAtEnd(segs[i]); seq > 0 {
			return seq, nil
		}
		seq, found := uint64(0), false
		for line, err := range ReadSegment(segs[i]) {
			if err != nil {
				var corrupt *CorruptError
				if !errors.As(err, &corrupt) {
					return 0, err
				}
				continue
			}
			if n, ok := lineSeq(line.Bytes); ok {
				seq, found = n, true
			}
		}
		if found {
			return seq, nil
		}
	}
	return 0, nil
}
