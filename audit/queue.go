package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultQueueCapacity is how many events a [Queue] holds unless told
// otherwise. ATD's reference sink has the same capacity.
const DefaultQueueCapacity = 1024

// Defaults of [QueueOptions].
const (
	DefaultMaxBytes = 16 << 20
	DefaultMaxWait  = time.Millisecond
)

// A Policy says what a [Queue] does with an event for which it has no room.
type Policy uint8

const (
	// Drop loses the event and declares the loss, after waiting for at most
	// MaxWait while the writer makes progress. Losing an event beats
	// stalling a call.
	Drop Policy = iota
	// Block waits for room, for at most BlockLimit, and then drops.
	Block
	// Fallback hands the event to another sink, and declares it lost here.
	Fallback
)

// QueueOptions configure a [Queue]. The zero value is the documented default.
type QueueOptions struct {
	// Capacity is how many events may wait, rounded up to a power of two.
	// 0 means DefaultQueueCapacity.
	Capacity int
	// MaxBytes bounds the bytes of waiting events that are larger than
	// 2 KiB; one such event is always let in. 0 means DefaultMaxBytes.
	// Smaller events are bounded by Capacity, and encoded lines by 18 batches
	// of at most 192 KiB, so a queue never holds more than
	// MaxBytes + Capacity × 2.6 KiB + 3.4 MiB.
	MaxBytes int64
	// Policy says what to do when there is no room. The default is Drop.
	Policy Policy
	// MaxWait is how long Drop lets a caller wait for room while the writer
	// makes progress; a Write that has lasted 10 ms is no progress. 0 means
	// DefaultMaxWait, negative means that callers never wait. With 1 ms a
	// burst of 400,000 events loses nothing; with 100 µs it loses some
	// hundred, to the scheduler's time slices.
	MaxWait time.Duration
	// BlockLimit is how long Block waits. 0 means without limit.
	BlockLimit time.Duration
	// Fallback is the sink of the Fallback policy. It is called on the
	// caller's goroutine. Setting it selects that policy.
	Fallback Sink
	// FirstSeq is the number of the first event. 0 means 1.
	FirstSeq uint64
	// Counters is where the queue keeps its account. nil means memory of its
	// own. They are reset.
	Counters *Counters
	// Logger hears of changes of state: once when the writer begins to fail,
	// once when it is well again. nil means nobody does.
	Logger *slog.Logger
}

// ErrClosed is returned by Record after Close.
var ErrClosed = errors.New("audit: queue is closed")

// A Queue is a [Sink] in front of a [Writer]: a bounded queue and a goroutine
// that drains it in batches. It numbers the events, and declares those that it
// lost: on the next event, or in a note where none follows.
//
// All methods are safe for concurrent use.
type Queue struct {
	writer   Writer
	policy   Policy
	maxBytes int64
	maxWait  time.Duration
	limit    time.Duration
	fallback Sink
	logger   *slog.Logger
	counters *Counters
	ring     *ring
	born     time.Time // where the monotonic times below begin

	heavy atomic.Int64 // bytes of the waiting events over lightBytes
	lost  lossWindow

	idle    atomic.Uint32 // idleness of the drain
	stuck   atomic.Bool   // the drain's Write makes no progress
	writing atomic.Int64  // since when the drain has been in Write; 0 is not
	wake    chan struct{}

	stage stage

	closing  chan struct{} // closed by Close
	done     chan struct{} // closed when the drain has ended
	ctx      context.Context
	cancel   context.CancelFunc
	closeCtx context.Context // set before closing is closed
	left     atomic.Uint64   // events given up at Close's deadline
	closeErr error           // set before done is closed
	once     sync.Once

	health health
	drain  drain
}

// NewQueue returns a queue in front of w and starts its drain. The queue owns
// w: Close closes it. o may be nil.
func NewQueue(w Writer, o *QueueOptions) *Queue {
	opts := QueueOptions{}
	if o != nil {
		opts = *o
	}
	q := &Queue{
		writer: w, policy: opts.Policy, fallback: opts.Fallback, limit: opts.BlockLimit, logger: opts.Logger,
		maxBytes: orDefault(opts.MaxBytes, DefaultMaxBytes),
		maxWait:  orDefault(opts.MaxWait, DefaultMaxWait),
		counters: opts.Counters,
		born:     time.Now().Add(-time.Hour), // so that no time is 0
		wake:     make(chan struct{}, 1),
		closing:  make(chan struct{}),
		done:     make(chan struct{}),
	}
	switch {
	case q.fallback != nil:
		q.policy = Fallback
	case q.policy == Fallback:
		q.policy = Drop // there is nothing to fall back on
	}
	if q.counters == nil {
		q.counters = new(Counters)
	}
	q.counters.Reset()
	q.lost.init()
	q.ring = newRing(orDefault(opts.Capacity, DefaultQueueCapacity), &q.counters.enqueued)
	q.ctx, q.cancel = context.WithCancel(context.Background())
	q.stage.init(q, orDefault(opts.FirstSeq, 1))
	q.drain.q = q
	go q.drain.run()
	return q
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// OnCall takes a copy of ev. It does not block unless the queue is full and its
// policy says so. It allocates only if ev is over its limits: then the digests
// of what is cut are computed here, which takes some 0.7 ms for a megabyte. An
// event that comes after Close is counted as lost.
func (q *Queue) OnCall(ev *CallEvent) {
	if ev == nil {
		return
	}
	p := q.prepare(ev)
	switch q.offer(p, nil) {
	case ringFull:
		q.onFull(p)
	case ringClosed:
		q.drop(p.ev, LossClosed)
	}
}

// Record takes a copy of ev and returns once it is durable, or accepted, if
// the writer is no [Syncer]. Callers share one sync (group commit). A full
// queue makes it wait, whatever the policy.
//
// If ctx ends first, the error wraps ctx's and the event may still be written;
// the caller must take it for not recorded. After Close, and when Close has
// run out of time, the error wraps [ErrClosed]; otherwise it is the writer's.
func (q *Queue) Record(ctx context.Context, ev *CallEvent) error {
	if ev == nil {
		return errors.New("audit: no event to record")
	}
	p := q.prepare(ev)
	w := &waiter{done: make(chan error, 1)}
	for pause := newPause(); ; {
		switch q.offer(p, w) {
		case claimed:
			q.rouse()
			return w.wait(ctx, q.ctx.Done())
		case ringClosed:
			q.drop(p.ev, LossClosed)
			return ErrClosed
		}
		q.help()
		if err := pause.once(ctx); err != nil {
			q.drop(p.ev, LossQueueFull)
			return fmt.Errorf("audit: no room in the queue: %w", err)
		}
	}
}

// Flush returns once every event that was queued before the call has been
// written or lost, or when ctx ends.
func (q *Queue) Flush(ctx context.Context) error {
	target := q.counters.Load().Enqueued
	for pause := newPause(); ; {
		if n := q.counters.Load(); n.Written+n.Failed >= target {
			return nil
		}
		q.rouse()
		if err := pause.once(ctx); err != nil {
			return fmt.Errorf("audit: flush: %w", err)
		}
	}
}

// now is the monotonic time in nanoseconds since some moment before the queue
// was made; it is never 0.
func (q *Queue) now() int64 { return int64(time.Since(q.born)) }
