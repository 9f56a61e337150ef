package trail

import (
	"context"
	"fmt"
	"time"
)

// Sync returns once every line that was accepted before the call is durable.
// Calls that come at once share the work. After a failed sync the lines are
// written anew to another file, and the sync of that one is what counts.
func (t *Trail) Sync(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return t.syncAll()
}

// syncTries bounds the failures in one syncAll.
const syncTries = 3

func (t *Trail) syncAll() (err error) {
	t.syncMu.Lock()
	defer t.syncMu.Unlock()
	defer t.status.during(busySync)()
	for failures := 0; failures < syncTries; {
		s, upTo, merr := t.nextToSync()
		if merr != nil || s == nil {
			return merr
		}
		err = s.file.Datasync()
		if last := t.synced(s, upTo, err); err == nil && last {
			return nil
		}
		if err != nil {
			failures++
		}
	}
	return fmt.Errorf("trail: sync %s: %w", t.dir, err)
}

// nextToSync returns the oldest segment that is not durable, and up to where a
// sync that begins now makes it so; nil when there is none. Segments that
// failed are mended first.
func (t *Trail) nextToSync() (*segfile, point, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.rotated) > 0 {
		s := t.rotated[0]
		if s.bad == nil {
			return s, s.seal(), nil
		}
		if err := t.mendRotated(); err != nil {
			t.degrade(err)
			return nil, point{}, err
		}
	}
	if t.live.bad != nil {
		if err := t.mend(); err != nil {
			t.degrade(err)
			return nil, point{}, err
		}
	}
	if len(t.pending) > 0 && t.flushRemarks() == nil {
		t.sayRestored()
	}
	if len(t.rotated) > 0 {
		s := t.rotated[0]
		return s, s.seal(), nil
	}
	if t.live.durable.off == t.live.end.off {
		t.sealDurable(t.live.next())
		return nil, point{}, nil
	}
	return t.live, t.live.seal(), nil
}

// synced takes account of a sync. It reports whether s was the live segment:
// nothing older is left then.
func (t *Trail) synced(s *segfile, upTo point, err error) (last bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case s.closed:
		return false // it was mended meanwhile
	case err != nil:
		if s.bad == nil {
			s.bad = fmt.Errorf("sync: %w", err)
		}
		t.degrade(s.bad)
		return false
	}
	s.settle(upTo)
	t.sealDurable(s.first + upTo.lines)
	wall, _ := t.opts.clock.now()
	t.status.set(func(st *Stats) { st.LastSync = wall })
	if len(t.rotated) > 0 && t.rotated[0] == s {
		if s.durable.off < s.end.off {
			return false // it was live when the sync began, and grew
		}
		s.retire()
		t.rotated = t.rotated[1:]
		return false
	}
	return s == t.live && s.bad == nil
}

// mendRotated writes anew what a closed segment may have lost: in a segment of
// its own, between it and the next. t.mu is held.
func (t *Trail) mendRotated() error {
	s := t.rotated[0]
	if s.durable.off == s.end.off {
		s.retire() // the sync that failed had nothing to do
		t.rotated = t.rotated[1:]
		return nil
	}
	fresh, lost, err := t.rescue(s, s.durable)
	if err != nil {
		return err
	}
	t.rotated = t.rotated[1:]
	s.retire()
	fresh.retire()
	t.sayMended(s, fresh, lost, s.next()-fresh.next())
	return nil
}

// wakeSyncer tells the syncer that there is something to make durable.
func (t *Trail) wakeSyncer() {
	select {
	case t.dirty <- struct{}{}:
	default:
	}
}

// runSyncer makes lines durable, at most SyncEvery after the first that is
// not, if the disk is as fast. It is the goroutine that Open starts and Close
// ends.
func (t *Trail) runSyncer() {
	defer close(t.ended)
	var last time.Time // when the last sync began
	for {
		select {
		case <-t.stop:
			return
		case <-t.dirty:
		}
		if t.opts.SyncEvery > 0 {
			select {
			case <-t.stop:
				return
			case <-time.After(t.syncPause(time.Since(last))):
			}
			last = time.Now()
		}
		if t.tick() == nil {
			continue
		}
		select { // an idle trail gets well again, too
		case <-t.stop:
			return
		case <-time.After(syncRetry):
			t.wakeSyncer()
		}
	}
}

// syncPause is how long a sync waits for more lines when the last one began
// some time ago.
func (t *Trail) syncPause(ago time.Duration) time.Duration {
	return max(t.opts.SyncEvery-ago, t.opts.SyncEvery/10)
}

// syncRetry is how long the syncer waits after a failure.
const syncRetry = time.Second

// tick is one round of the syncer. A failed sync is its error, and stands in
// Stats.
func (t *Trail) tick() error {
	if t.opts.SyncEvery > 0 || t.hasRotated() {
		if err := t.syncAll(); err != nil {
			return err
		}
	}
	if err := t.prune(); err != nil && t.opts.Logger != nil {
		t.opts.Logger.Warn("trail: prune", "dir", t.dir, "error", err)
	}
	return nil
}

func (t *Trail) hasRotated() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.rotated) > 0
}
