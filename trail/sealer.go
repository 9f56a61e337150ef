package trail

import (
	"bytes"
	"errors"
	"fmt"
)

// A Sealer follows a trail that is being written, and seals it. Append and
// Durable are called with the trail locked: they must return at once and must
// not call it.
type Sealer interface {
	// Begin is called by [Open], before anything in the trail is changed. The
	// trail holds whole lines up to the index next; what Open then cuts off
	// lies behind them. The next line gets the index at: next, or more where
	// sealed lines are known to be missing and given up. An error keeps the
	// trail from being opened. Until Start, t's directory and name may be used
	// and nothing else.
	Begin(t *Trail, next uint64) (at uint64, err error)
	// Start is called by Open when the trail is open. From now on it may be
	// used, by the sealer's goroutines too.
	Start()
	// Append is told of whole lines as they are accepted, in order. The first
	// has the index first. Where first is lower than what came before, the
	// lines from there on were lost before they were durable, and these are
	// what the trail holds instead. lines must not be kept or changed.
	Append(first uint64, lines []byte)
	// Durable is told that all lines with an index below size are durable.
	Durable(size uint64)
	// End is called once after Begin returned nil: by Close, when all lines
	// are durable and before the lock is given up, or when Open fails later.
	End() error
}

// A RefusedError says that a trail's [Sealer] does not go on with it: sealed
// lines are missing, or the seal itself is damaged.
type RefusedError struct {
	// Dir is the trail's directory.
	Dir string
	// Err is the reason.
	Err error
}

// Error names the directory and the reason.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("trail: %s cannot be continued: %v", e.Dir, e.Err)
}

// Unwrap returns the reason.
func (e *RefusedError) Unwrap() error { return e.Err }

// beginSeal asks the sealer whether the trail may be continued, and at which
// index.
func (t *Trail) beginSeal(next uint64) (at uint64, err error) {
	if t.opts.Sealer == nil {
		return next, nil
	}
	if at, err = t.opts.Sealer.Begin(t, next); err != nil {
		return 0, &RefusedError{t.dir, err}
	}
	t.sealing = true
	return at, nil
}

// endSeal ends what beginSeal began. It is called once.
func (t *Trail) endSeal() error {
	t.mu.Lock()
	sealing := t.sealing
	t.sealing = false
	t.mu.Unlock()
	if !sealing {
		return nil
	}
	return t.opts.Sealer.End()
}

// sealLines tells the sealer of lines. t.mu is held.
func (t *Trail) sealLines(first uint64, lines []byte) {
	if t.sealing {
		t.opts.Sealer.Append(first, lines)
	}
}

// sealDurable tells the sealer what is durable. t.mu is held.
func (t *Trail) sealDurable(size uint64) {
	if t.sealing {
		t.opts.Sealer.Durable(size)
	}
}

// reseal tells the sealer what a segment that was written anew holds. Lines
// that are gone for good moved up those behind them. t.mu is held.
func (t *Trail) reseal(fresh *segfile) error {
	if !t.sealing {
		return nil
	}
	buf := make([]byte, 1<<20)
	index := fresh.first
	for off := int64(0); off < fresh.end.off; {
		n, _ := fresh.file.ReadAt(buf[:min(int64(len(buf)), fresh.end.off-off)], off)
		lines := buf[:bytes.LastIndexByte(buf[:n], '\n')+1]
		if len(lines) == 0 {
			return errors.New("the segment that was just written cannot be read")
		}
		t.sealLines(index, lines)
		index += uint64(bytes.Count(lines, newline))
		off += int64(len(lines))
	}
	return nil
}
