package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
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
	// declareAfter is how long a loss may wait for an event to stand on.
	declareAfter = time.Second
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
	note       []byte
	lastWork   time.Time
}

func (d *drain) run() {
	defer close(d.q.done)
	d.timer = time.NewTimer(time.Hour)
	d.lastWork = time.Now()
	for {
		if b := d.q.stage.take(); b != nil {
			d.deliver(b)
			d.q.stage.recycle(b)
			d.lastWork = time.Time{}
			continue
		}
		if d.finished() {
			d.finish()
			return
		}
		d.idle()
	}
}

// finished reports whether the queue is closed and every event that got a
// place has been taken.
func (d *drain) finished() bool {
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
			if quiet > declareAfter {
				d.declare()
				return
			}
			wait = declareAfter
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
	d.declareOn(b)
	accepted, err := d.write(Batch{Bytes: b.bytes, Lines: b.lines}, true)
	if len(b.waiters) == 0 {
		return
	}
	syncErr := d.sync()
	for _, w := range b.waiters {
		if w.line < accepted {
			w.done <- syncErr
		} else {
			w.done <- err
		}
	}
}

// write hands a batch to the writer, again and again while that is worth it,
// and returns how many lines were accepted. Lines that are events are counted.
func (d *drain) write(batch Batch, events bool) (accepted int, err error) {
	q := d.q
	q.writing.Store(q.now())
	defer func() {
		q.writing.Store(0)
		q.stuck.Store(false)
	}()
	for retry := firstRetry; ; retry = min(2*retry, lastRetry) {
		n, again, err := 0, false, q.ctx.Err()
		if err == nil {
			n, again, err = d.try(batch)
		}
		if events {
			q.counters.written.Add(uint64(n))
		}
		accepted += n
		if err == nil {
			q.health.ok(q.logger)
			return accepted, nil
		}
		q.health.failed(q.logger, err)
		batch = batch.Skip(n)
		if batch.Lines == 0 {
			return accepted, nil
		}
		if !again || !d.pause(retry) {
			if events {
				d.lose(batch)
			}
			return accepted, err
		}
	}
}

// try calls the writer once. It returns how many lines were accepted, and
// whether the rest is worth another try.
func (d *drain) try(batch Batch) (accepted int, again bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			accepted, again, err = 0, false, fmt.Errorf("audit: writer panicked: %v", r)
			d.q.health.panicked(r)
		}
	}()
	err = d.q.writer.Write(d.q.ctx, batch)
	if err == nil {
		return batch.Lines, false, nil
	}
	var we *WriteError
	if errors.As(err, &we) {
		return min(max(we.Lines, 0), batch.Lines), we.Retry, err
	}
	return 0, false, err
}

// pause waits before another try, and reports whether one is still wanted:
// after Close, only until its deadline.
func (d *drain) pause(wait time.Duration) bool {
	d.timer.Reset(wait)
	select {
	case <-d.timer.C:
		return true
	case <-d.q.ctx.Done():
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
			err = fmt.Errorf("audit: writer panicked: %v", r)
			d.q.health.panicked(r)
		}
	}()
	if err := s.Sync(d.q.ctx); err != nil {
		d.q.health.failed(d.q.logger, err)
		return fmt.Errorf("audit: sync: %w", err)
	}
	return nil
}

// lose counts encoded events that the writer refused. What they declared lost
// is not declared by them any more.
func (d *drain) lose(batch Batch) {
	d.q.counters.failed.Add(uint64(batch.Lines))
	reason := LossWriteFailed
	if d.q.ctx.Err() != nil {
		reason = LossClosed
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
// encoding: the batch comes right behind it. The event is encoded again, which
// gives the same bytes but for the declaration.
func (d *drain) declareOn(b *buffer) {
	if d.undeclared == nil {
		return
	}
	end := bytes.IndexByte(b.bytes, '\n')
	ev, err := Decode(b.bytes[:end])
	if err != nil {
		return // our own line always decodes
	}
	ev.Lost = d.undeclared.add(ev.Lost)
	b.bytes = slices.Replace(b.bytes, 0, end, ev.AppendJSON(nil)...)
	d.undeclared = nil
}

// hasLoss reports whether a loss waits to be declared.
func (d *drain) hasLoss() bool {
	q := d.q
	q.stage.mu.Lock()
	defer q.stage.mu.Unlock()
	return d.undeclared != nil || q.counters.dropped.Load() > q.stage.seen
}

// declare writes a note of everything that was lost and not declared yet.
func (d *drain) declare() {
	l, seq := d.q.stage.rest()
	d.undeclared = d.undeclared.add(l)
	d.writeNote(seq)
}

// writeNote writes a note of the undeclared loss. If the writer refuses it,
// the loss stays undeclared and the next event or note carries it.
func (d *drain) writeNote(seq uint64) {
	if d.undeclared == nil {
		return
	}
	var e encoder
	d.note = append(e.appendLostNote(d.note[:0], time.Now(), seq, d.undeclared), '\n')
	if _, err := d.write(Batch{Bytes: d.note, Lines: 1}, false); err == nil {
		d.undeclared = nil
	}
}

// finish declares what is left to declare and closes the writer.
func (d *drain) finish() {
	q := d.q
	defer q.cancel()
	if d.hasLoss() {
		d.declare()
	}
	err := d.closeWriter(q.closeCtx)
	q.health.closed()
	if err != nil {
		q.closeErr = fmt.Errorf("audit: close writer: %w", err)
	}
}

func (d *drain) closeWriter(ctx context.Context) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panicked: %v", r)
		}
	}()
	return d.q.writer.Close(ctx)
}
