package audit

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"
)

// Idleness of the drain. Callers wake it when it is parked, and above half
// full when it lingers.
const (
	awake uint32 = iota
	lingering
	parked
)

const (
	// After the last event the drain looks again every pollEvery for
	// lingerFor, and then parks. Waking a parked goroutine costs the caller
	// about 300 ns, sometimes a system call; while calls come, they find it
	// lingering and pay nothing.
	pollEvery = time.Millisecond
	lingerFor = 100 * time.Millisecond
	// declareAfter is how long a loss may wait for an event to stand on. Where
	// the writer refuses the note too, the wait doubles up to declareAtLast.
	declareAfter  = time.Second
	declareAtLast = 30 * time.Second
	// Retries of a Write.
	firstRetry = 10 * time.Millisecond
	lastRetry  = time.Second
)

// A drain moves lines from the stage to the writer. Its fields belong to its
// goroutine.
type drain struct {
	q          *Queue
	timer      *time.Timer
	undeclared *Lost // lost after encoding, not declared yet
	finished   bool  // it came to its regular end
	lastWork   time.Time
	patience   time.Duration // how quiet it must be for a note of a loss
}

func (d *drain) run() {
	defer d.ended()
	d.timer = time.NewTimer(time.Hour)
	d.lastWork, d.patience = time.Now(), declareAfter
	for {
		if b := d.q.stage.take(); b != nil {
			d.deliver(b)
			d.q.stage.recycle(b)
			d.lastWork, d.patience = time.Time{}, declareAfter
			continue
		}
		if d.drained() {
			d.finish()
			return
		}
		d.idle()
	}
}

// drained reports whether the queue is closed and every event that got a place
// has been taken.
func (d *drain) drained() bool {
	select {
	case <-d.q.closing:
	default:
		return false
	}
	if d.q.stage.done() && d.q.ring.head.Load() == d.q.ring.tickets() {
		return true
	}
	runtime.Gosched() // a caller is between claim and publish
	return false
}

// idle waits for events.
func (d *drain) idle() {
	q := d.q
	if d.lastWork.IsZero() {
		d.lastWork = time.Now()
	}
	quiet := time.Since(d.lastWork)
	state, wait := lingering, pollEvery
	if quiet > lingerFor {
		state, wait = parked, time.Hour
		q.stage.trim()
		if d.hasLoss() {
			wait = d.declareWhenQuiet(quiet)
		}
	}
	q.idle.Store(state)
	defer q.idle.Store(awake)
	if !q.stage.done() {
		return
	}
	d.timer.Reset(wait)
	select {
	case <-q.wake:
	case <-d.timer.C:
	case <-q.closing:
	}
}

// rouse wakes the drain if it is idle.
func (q *Queue) rouse() {
	if q.idle.Load() == awake {
		return
	}
	if q.idle.Swap(awake) != awake {
		select {
		case q.wake <- struct{}{}:
		default:
		}
	}
}

// deliver hands a batch to the writer until it is accepted or lost, makes it
// durable if somebody waits for that, and tells who waits.
func (d *drain) deliver(b *buffer) {
	defer d.busy()()
	d.declareOn(b)
	accepted, err := d.write(d.q.ctx, Batch{Bytes: b.bytes, Lines: b.lines}, true)
	syncErr := error(nil)
	if len(b.waiters) > 0 {
		syncErr = d.sync()
	}
	if err == nil && syncErr == nil {
		d.q.health.ok(d.q.logger)
	}
	for _, w := range b.waiters {
		if w.line < accepted {
			w.done <- syncErr
		} else {
			w.done <- err
		}
	}
}

// busy says since when the drain has been in the writer's hands, for callers
// that wait for room; what it returns says that it no longer is. After a stall
// the writer counts as stuck until it has done better.
func (d *drain) busy() (calm func()) {
	q := d.q
	since := q.now()
	q.writing.Store(since)
	return func() {
		q.writing.Store(0)
		q.stuck.Store(q.now()-since > int64(stuckAfter))
	}
}

// errOutOfTime is what becomes of lines that are left at Close's deadline.
var errOutOfTime = fmt.Errorf("%w: its time was up before the event was written", ErrClosed)

// write hands a batch to the writer, again and again while that is worth it,
// and returns how many lines were accepted. Lines that are events are counted.
func (d *drain) write(ctx context.Context, batch Batch, events bool) (accepted int, err error) {
	q := d.q
	for retry := firstRetry; ; retry = min(2*retry, lastRetry) {
		n, again, err := 0, false, errOutOfTime
		if ctx.Err() == nil {
			if n, again, err = d.try(ctx, batch); err != nil {
				q.health.failed(q.logger, err)
			}
		}
		if events {
			q.counters.written.Add(uint64(n))
		}
		accepted += n
		if batch = batch.Skip(n); err == nil || batch.Lines == 0 {
			return accepted, nil
		}
		if again && !d.pause(ctx, retry) {
			again, err = false, errOutOfTime
		}
		if !again {
			if events {
				d.lose(batch, err)
			}
			return accepted, err
		}
	}
}

// try calls the writer once. It returns how many lines were accepted, and
// whether the rest is worth another try.
func (d *drain) try(ctx context.Context, batch Batch) (accepted int, again bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			accepted, again, err = 0, false, d.q.health.panicked(r)
		}
	}()
	err = d.q.writer.Write(ctx, batch)
	if err == nil {
		return batch.Lines, false, nil
	}
	var we *WriteError
	if errors.As(err, &we) {
		return min(max(we.Lines, 0), batch.Lines), we.Retry, err
	}
	return 0, false, err
}

// pause waits before another try, and reports whether one is still wanted.
func (d *drain) pause(ctx context.Context, wait time.Duration) bool {
	d.timer.Reset(wait)
	select {
	case <-d.timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// sync makes the accepted lines durable, as far as the writer can.
func (d *drain) sync() (err error) {
	s, ok := d.q.writer.(Syncer)
	if !ok {
		return nil
	}
	defer func() {
		if r := recover(); r != nil {
			err = d.q.health.panicked(r)
		}
	}()
	if err := s.Sync(d.q.ctx); err != nil {
		d.q.health.failed(d.q.logger, err)
		return fmt.Errorf("audit: sync: %w", err)
	}
	return nil
}
