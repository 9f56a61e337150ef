package audit

import (
	"bytes"
	"context"
	"errors"
	"time"
)

// declareWhenQuiet declares a loss for which no event has come, and returns how
// long to wait before the next try.
func (d *drain) declareWhenQuiet(quiet time.Duration) time.Duration {
	if quiet < d.patience {
		return d.patience - quiet
	}
	if d.declare(d.q.ctx) {
		return time.Hour
	}
	d.patience = min(2*d.patience, declareAtLast)
	d.lastWork = time.Now()
	return d.patience
}

// lose counts encoded events that the writer refused. What they declared lost
// is not declared by them any more.
func (d *drain) lose(batch Batch, why error) {
	d.q.counters.failed.Add(uint64(batch.Lines))
	reason := LossWriteFailed
	if errors.Is(why, errOutOfTime) {
		reason = LossClosed
		d.q.left.Add(uint64(batch.Lines))
	}
	for line := range batch.All() {
		ev, err := Decode(line)
		if err != nil {
			continue // our own line always decodes
		}
		d.undeclared = d.undeclared.add(ev.Lost)
		d.undeclared = d.undeclared.add(&Lost{Count: 1, First: ev.Time, Last: ev.Time, Reason: reason})
	}
}

// declareOn declares on the first event of the batch what was lost after
// encoding: the batch comes right behind it.
func (d *drain) declareOn(b *buffer) {
	if d.undeclared == nil {
		return
	}
	end := bytes.IndexByte(b.bytes, '\n')
	var e encoder
	line := e.declareIn(b.bytes[:end], d.undeclared)
	b.bytes = append(line, b.bytes[end:]...)
	d.undeclared = nil
}

// hasLoss reports whether a loss waits to be declared.
func (d *drain) hasLoss() bool {
	q := d.q
	q.stage.mu.Lock()
	defer q.stage.mu.Unlock()
	return d.undeclared != nil || q.counters.dropped.Load() > q.stage.seen
}

// declare writes a note of everything that was lost and not declared yet, and
// reports whether that is done. If lines wait, the first of them will carry it
// instead; if the writer refuses the note, the loss stays undeclared.
func (d *drain) declare(ctx context.Context) bool {
	l, seq, ok := d.q.stage.rest()
	if !ok {
		return true
	}
	d.undeclared = d.undeclared.add(l)
	if d.undeclared == nil {
		return true
	}
	defer d.busy()()
	var e encoder
	note := append(e.appendLostNote(nil, time.Now(), seq, d.undeclared), '\n')
	if _, err := d.write(ctx, Batch{Bytes: note, Lines: 1}, false); err != nil {
		return false
	}
	d.q.health.ok(d.q.logger)
	d.undeclared = nil
	return true
}
