package audit

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A writer that stands still fills the queue; what comes then is lost,
// counted, and declared where it happened.
func TestStalledWriterLosesExactly(t *testing.T) {
	gate := make(chan struct{})
	w := &lines{before: func(Batch) error { <-gate; return nil }}
	q := NewQueue(w, &QueueOptions{Capacity: 16, MaxWait: -1})
	const n = 50_000
	for range n {
		q.OnCall(call("x"))
	}
	close(gate)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := q.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	q.OnCall(call("behind the loss"))
	closeQueue(t, q)
	stream := w.all()
	checkStream(t, q, stream, n+1)
	behind := stream[len(stream)-1]
	if !strings.Contains(behind, "behind the loss") || !strings.Contains(behind, `"lost":{"count":`) || !strings.Contains(behind, `"reason":"queue_full"`) {
		t.Errorf("the event behind the loss is %s", behind)
	}
	if s := q.Stats(); s.Lost < n/2 {
		t.Errorf("only %d of %d were lost", s.Lost, n)
	}
}

// When no event follows for a second, the loss is declared all the same, so
// that it stands in the stream should the process be killed.
func TestLossIsDeclaredWhenQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		w := &lines{before: func(Batch) error { <-gate; return nil }}
		q := NewQueue(w, &QueueOptions{Capacity: 4, MaxWait: -1})
		for range 50_000 {
			q.OnCall(call("x"))
		}
		close(gate)
		time.Sleep(3 * time.Second)
		stream := w.all()
		if end := stream[len(stream)-1]; !strings.HasPrefix(end, `{"note":"lost"`) {
			t.Errorf("after three quiet seconds the stream ends with %s", end)
		}
		closeQueue(t, q)
		checkStream(t, q, w.all(), 50_000)
	})
}

func TestRefusedLinesAreDeclaredOnTheNextEvent(t *testing.T) {
	refuse := atomic.Bool{}
	w := &lines{before: func(Batch) error {
		if refuse.Load() {
			return errors.New("no")
		}
		return nil
	}}
	q := NewQueue(w, nil)
	ctx := context.Background()
	record := func(n int) {
		for range n {
			q.OnCall(call("x"))
		}
		if err := q.Flush(ctx); err != nil {
			t.Fatal(err)
		}
	}
	record(3)
	refuse.Store(true)
	record(4)
	if s := q.Stats(); s.Lost != 4 || s.State != Degraded || s.Err == nil || s.WriteErrors == 0 {
		t.Errorf("stats %+v", s)
	}
	refuse.Store(false)
	record(1)
	if s := q.Stats(); s.State != Running {
		t.Errorf("state %v after a good write", s.State)
	}
	closeQueue(t, q)
	stream := w.all()
	checkStream(t, q, stream, 8)
	if !strings.Contains(stream[3], `"seq":8,"lost":{"count":4,`) || !strings.Contains(stream[3], `"reason":"write_failed"`) {
		t.Errorf("the next event is %s", stream[3])
	}
}

// Refusals at random, whole and in part, for good and for now: the stream adds
// up in the end.
func TestRandomRefusals(t *testing.T) {
	for seed := range uint64(20) {
		n := seed
		w := &lines{before: func(b Batch) error {
			n = n*6364136223846793005 + 1442695040888963407
			switch n >> 60 {
			case 0, 1:
				return errors.New("for good")
			case 2, 3:
				return &WriteError{Lines: int(n>>32) % (b.Lines + 1), Err: errors.New("in part")}
			case 4:
				return &WriteError{Lines: int(n>>32) % (b.Lines + 1), Retry: true, Err: errors.New("for now")}
			case 5:
				panic("writer")
			}
			return nil
		}}
		q := NewQueue(w, &QueueOptions{Capacity: 32, MaxWait: -1})
		for i := range 3000 {
			q.OnCall(call("x"))
			if i%50 == 0 {
				runtime.Gosched()
			}
		}
		w.before = nilAfterFlush(t, q, w)
		closeQueue(t, q)
		checkStream(t, q, w.all(), 3000)
	}
}

// nilAfterFlush waits until the queue is empty, so that before may be changed.
func nilAfterFlush(t *testing.T, q *Queue, w *lines) func(Batch) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := q.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	return nil
}

func TestReasonsAreTrue(t *testing.T) {
	gate := make(chan struct{})
	w := &lines{before: func(Batch) error { <-gate; return nil }}
	beside := 0
	q := NewQueue(w, &QueueOptions{Fallback: Func(func(*CallEvent) { beside++ })})
	q.OnCall(call("x"))
	closed := make(chan error, 1)
	go func() { closed <- q.Close(context.Background()) }()
	<-q.closing
	for range 5 {
		q.OnCall(call("late"))
	}
	close(gate)
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	if _, _, lost := account(t, w.all()); lost[LossFallback] != 0 || beside != 0 || lost[LossClosed] != 5 {
		t.Errorf("declared %v, %d went beside", lost, beside)
	}
}

func TestFallbackWithoutASinkDrops(t *testing.T) {
	gate := make(chan struct{})
	w := &lines{before: func(Batch) error { <-gate; return nil }}
	q := NewQueue(w, &QueueOptions{Capacity: 2, MaxWait: -1, Policy: Fallback})
	for range 50_000 {
		q.OnCall(call("x"))
	}
	close(gate)
	closeQueue(t, q)
	if _, _, lost := account(t, w.all()); lost[LossFallback] != 0 || lost[LossQueueFull] == 0 || q.Stats().Panics != 0 {
		t.Errorf("declared %v, %+v", lost, q.Stats())
	}
}

func TestLossWindow(t *testing.T) {
	var w lossWindow
	w.init()
	future, now := time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	w.extend(future, LossClosed)
	w.take(1)
	w.extend(now, LossQueueFull)
	w.extend(now.Add(-time.Hour), LossQueueFull)
	if l := w.take(2); !l.First.Equal(now.Add(-time.Hour)) || !l.Last.Equal(now) || l.Reason != LossQueueFull {
		t.Errorf("%+v", l)
	}
	w.extend(now, LossQueueFull)
	w.extend(now, LossClosed)
	if l := w.take(2); l.Reason != LossMixed {
		t.Errorf("%+v", l)
	}
	if l := w.take(1); !l.First.Equal(now) || l.Reason != LossMixed {
		t.Errorf("a window that was taken before its count: %+v", l)
	}
}

// A writer that refuses for good is asked again, but not all the time.
func TestRefusedNotesAreNotRepeatedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var writes atomic.Int64
		q := NewQueue(&lines{before: func(Batch) error { writes.Add(1); return errors.New("gone") }}, nil)
		q.OnCall(call("x"))
		time.Sleep(10 * time.Minute)
		if n := writes.Load(); n < 10 || n > 40 {
			t.Errorf("%d writes in ten minutes", n)
		}
		closeQueue(t, q)
	})
}

// A note that is due while lines wait must not go before them.
func TestNoteDoesNotOvertake(t *testing.T) {
	refuse := true
	w := &lines{before: func(Batch) error {
		if refuse {
			return errors.New("no")
		}
		return nil
	}}
	q := still(w, 2)
	deliver := func() {
		b := q.stage.take()
		q.drain.deliver(b)
		q.stage.recycle(b)
	}
	q.OnCall(call("refused"))
	deliver()
	refuse = false
	q.OnCall(call("a"))
	q.OnCall(call("b")) // above half full: it encodes
	if q.drain.declare(q.ctx); len(w.all()) != 0 {
		t.Fatal("a note went before lines that wait")
	}
	deliver()
	if events, _, lost := account(t, w.all()); events != 2 || lost[LossWriteFailed] != 1 {
		t.Errorf("%d events, lost %v", events, lost)
	}
}

// still returns a queue whose drain does not run, to walk through one order of
// events.
func still(w Writer, capacity int) *Queue {
	q := &Queue{
		writer: w, maxBytes: 1 << 20, maxWait: -1, counters: new(Counters), born: time.Now().Add(-time.Hour),
		wake: make(chan struct{}, 1), closing: make(chan struct{}), done: make(chan struct{}),
	}
	q.lost.init()
	q.ring = newRing(capacity, &q.counters.enqueued)
	q.ctx, q.cancel = context.WithCancel(context.Background())
	q.stage.init(q, 1)
	q.drain = drain{q: q, timer: time.NewTimer(time.Hour), patience: declareAfter}
	return q
}
