package trail

import (
	"fmt"
	"path/filepath"
	"time"
)

// maxRotated is how many closed segments may wait to be made durable. With
// more, the live one grows past its limit instead.
const maxRotated = 4

// rotate begins a new segment when the live one would grow too big by n bytes,
// or is too old. If that fails it is tried again later; the live segment goes
// on meanwhile. t.mu is held.
func (t *Trail) rotate(n int, wall time.Time, mono time.Duration) {
	s := t.live
	big := s.end.off+int64(n) > t.opts.MaxBytes
	old := t.opts.MaxAge > 0 && wall.Sub(s.made) >= t.opts.MaxAge
	if s.end.lines == 0 || !big && !old || len(t.rotated) >= maxRotated || mono < t.retryAt {
		return
	}
	fresh, err := t.create(s.next(), s.end.seq)
	if err != nil {
		t.retryAt = mono + time.Second
		if t.opts.Logger != nil {
			t.opts.Logger.Warn("trail: rotate", "dir", t.dir, "error", err)
		}
		return
	}
	t.rotated = append(t.rotated, s)
	t.live = fresh
	t.wakeSyncer()
}

// create makes an empty segment whose name is durable.
func (t *Trail) create(first, seq uint64) (*segfile, error) {
	path := filepath.Join(t.dir, segmentName(first))
	if err := t.makeWay(path, nil); err != nil {
		return nil, fmt.Errorf("trail: create %s: %w", path, err)
	}
	f, err := t.fs.OpenAppend(path, true)
	if err != nil {
		return nil, fmt.Errorf("trail: create %s: %w", path, err)
	}
	wall, _ := t.opts.clock.now()
	err = t.fs.SyncDir(t.dir)
	if err == nil {
		var s *segfile
		if s, err = newSegfile(f, path, first, seq, wall); err == nil {
			return s, nil
		}
	}
	_ = f.Close()
	_ = t.fs.Remove(path)
	return nil, fmt.Errorf("trail: create %s: %w", path, err)
}
