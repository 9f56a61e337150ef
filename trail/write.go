package trail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/tooltrail/tooltrail/audit"
)

// Write appends a batch with one write(2). It does not wait for the disk to
// have room or to be well again: the error is then an [*audit.WriteError] that
// asks for another try, and no part of a line is left behind. Lines are
// durable after Sync, or within SyncEvery.
func (t *Trail) Write(_ context.Context, batch audit.Batch) error {
	if batch.Lines == 0 && len(batch.Bytes) == 0 {
		return nil
	}
	if err := checkBatch(batch); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return ErrClosed
	}
	defer t.status.during(busyWrite)()
	if err := t.prepare(len(batch.Bytes)); err != nil {
		t.degrade(err)
		return &audit.WriteError{Retry: true, Err: err}
	}
	n, err := t.append(batch.Bytes, batch.Lines)
	if err != nil && t.live.bad != nil {
		n, err = t.again(batch, n, err)
	}
	if err != nil {
		t.degrade(err)
		return &audit.WriteError{Lines: n, Retry: true, Err: err}
	}
	t.sayRestored()
	return nil
}

// again writes what is left of a batch to a new segment.
func (t *Trail) again(batch audit.Batch, n int, cause error) (int, error) {
	t.degrade(cause)
	if err := t.mend(); err != nil {
		return n, err
	}
	if err := t.flushRemarks(); err != nil {
		return n, err
	}
	rest := batch.Skip(n)
	more, err := t.append(rest.Bytes, rest.Lines)
	return n + more, err
}

var errBadBatch = errors.New("the batch is not whole lines")

// checkBatch holds a batch to its contract, as an index that does not match
// the lines could not be put right later.
func checkBatch(b audit.Batch) error {
	if len(b.Bytes) == 0 || b.Bytes[len(b.Bytes)-1] != '\n' || bytes.Count(b.Bytes, newline) != b.Lines {
		return fmt.Errorf("trail: write: %w", errBadBatch)
	}
	if len(b.Bytes) <= MaxLine {
		return nil
	}
	for line := range b.All() {
		if len(line) >= MaxLine {
			return fmt.Errorf("trail: write: %w", errLongLine)
		}
	}
	return nil
}

// prepare makes the live segment ready for n more bytes. t.mu is held.
func (t *Trail) prepare(n int) error {
	wall, mono := t.opts.clock.now()
	if step := t.steps.step(wall, mono); step > 0 {
		t.remark("clock_step", slog.Int64("back_ms", step.Milliseconds()))
	}
	t.examine(mono)
	if t.live.bad != nil {
		if err := t.mend(); err != nil {
			return err
		}
	}
	t.rotate(n, wall, mono)
	return t.flushRemarks()
}

// append writes lines to the live segment and takes account. t.mu is held.
func (t *Trail) append(b []byte, lines int) (accepted int, err error) {
	before, first := t.live.end.off, t.live.next()
	accepted, err = t.live.write(b, lines)
	if accepted > 0 {
		wrote := uint64(t.live.end.off - before)
		t.sealLines(first, b[:wrote])
		next, path := t.live.next(), t.live.path
		t.status.set(func(s *Stats) {
			s.Lines += uint64(accepted)
			s.Bytes += wrote
			s.Next, s.Segment = next, path
		})
		t.wakeSyncer()
	}
	if err != nil {
		err = fmt.Errorf("trail: append to %s: %w", t.live.path, err)
	}
	return accepted, err
}

// degrade notes the first error of a trouble. t.mu is held.
func (t *Trail) degrade(err error) {
	if t.trouble != nil {
		return
	}
	t.trouble = err
	t.since, _ = t.opts.clock.now()
	t.status.set(func(s *Stats) { s.State, s.Reason = Degraded, err.Error() })
	if t.opts.Logger != nil {
		t.opts.Logger.Error("trail: degraded", "dir", t.dir, "error", err)
	}
}

// sayRestored ends a trouble once a write has succeeded. t.mu is held.
func (t *Trail) sayRestored() {
	if t.trouble == nil {
		return
	}
	if err := t.writeNote("restored", slog.Time("since", t.since), slog.String("error", t.trouble.Error())); err != nil {
		return // the trouble is not over
	}
	t.trouble = nil
	t.status.set(func(s *Stats) { s.State, s.Reason = OK, "" })
	if t.opts.Logger != nil {
		t.opts.Logger.Info("trail: well again", "dir", t.dir)
	}
}
