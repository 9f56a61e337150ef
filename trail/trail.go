package trail

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/internal/durable"
)

// A Trail is a trail that this process writes. It is an [audit.Writer] and an
// [audit.Syncer]; all methods are safe for concurrent use.
type Trail struct {
	dir      string
	opts     Options
	fs       durable.FS
	counters *counterFile
	firstSeq uint64
	status   status

	dirty chan struct{} // wakes the syncer; holds one
	stop  chan struct{} // closed by Close
	ended chan struct{} // closed when the syncer has ended

	closeOnce sync.Once
	closeDone chan struct{} // closed when Close's work is done
	closeErr  error         // set before closeDone is closed

	syncMu sync.Mutex // held for a whole sync; taken before mu

	mu      sync.Mutex // guards what follows
	lock    *durable.Lock
	live    *segfile
	rotated []*segfile // closed, and not durable yet; oldest first
	pending [][]byte   // notes that wait to be written
	looked  time.Duration
	retryAt time.Duration // no rotation is tried before
	steps   stepWatch
	trouble error // why the trail is degraded
	sealing bool  // the sealer has begun and not ended
	since   time.Time
	closed  bool
}

// Dir returns the trail's directory.
func (t *Trail) Dir() string { return t.dir }

// Name returns the name of the trail's slot.
func (t *Trail) Name() string { return filepath.Base(t.dir) }

// NextSeq returns the sequence number that the first event of this process
// must have. It goes on from the trail's past, so that a number is used once.
func (t *Trail) NextSeq() uint64 { return t.firstSeq }

// Counters returns the queue's account. On Unix it lies in state/counters, so
// that a successor knows what a killed process had admitted; where that cannot
// be mapped it is plain memory. It stays valid after Close.
func (t *Trail) Counters() *audit.Counters { return t.counters.counters() }

// Close writes a stop note, makes everything durable and gives the trail up.
// If ctx ends first, Close returns its error and the work goes on behind it.
// Later calls return what the first one's work came to.
func (t *Trail) Close(ctx context.Context) error {
	t.closeOnce.Do(func() { go t.shut() })
	select {
	case <-t.closeDone:
		return t.closeErr
	default:
	}
	select {
	case <-t.closeDone:
		return t.closeErr
	case <-ctx.Done():
		return fmt.Errorf("trail: close %s: %w", t.dir, ctx.Err())
	}
}

func (t *Trail) shut() {
	defer close(t.closeDone)
	close(t.stop)
	<-t.ended
	t.closeErr = t.sayStop()
	if err := t.syncAll(); t.closeErr == nil {
		t.closeErr = err
	}
	if err := t.endSeal(); t.closeErr == nil && err != nil {
		t.closeErr = fmt.Errorf("trail: close %s: %w", t.dir, err)
	}
	t.syncMu.Lock()
	defer t.syncMu.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.live.closed = true
	_ = t.live.file.Close()
	for _, s := range t.rotated {
		_ = s.file.Close()
	}
	_ = t.lock.Close()
	t.status.set(func(s *Stats) { s.State = Closed })
}

// sayStop writes the last note and takes no more lines.
func (t *Trail) sayStop() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.looked = 0 // look at the file once more
	if err := t.prepare(0); err != nil {
		return fmt.Errorf("trail: close %s: %w", t.dir, err)
	}
	n := t.counters.counters().Load()
	return t.writeNote("stop", slog.Uint64("written", n.Written), slog.Uint64("lost_total", n.Lost()),
		slog.Uint64("seq", t.live.end.seq))
}
