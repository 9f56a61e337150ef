package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestQueueKeepsOrderAndNumbers(t *testing.T) {
	w := new(lines)
	q := NewQueue(w, nil)
	const n = 500
	for i := range n {
		q.OnCall(call(fmt.Sprint("tool-", i)))
	}
	closeQueue(t, q)
	events, last, _ := account(t, w.all())
	if events != n || last != n {
		t.Errorf("%d events, last number %d", events, last)
	}
	for i, line := range w.all() {
		if !strings.Contains(line, fmt.Sprintf(`"tool_id":"tool-%d"`, i)) {
			t.Fatalf("line %d is %s", i, line)
		}
	}
	if s := q.Stats(); s.Admitted != n || s.Written != n || s.Lost != 0 || s.Queued != 0 || s.State != Closed {
		t.Errorf("stats %+v", s)
	}
	if !w.closed {
		t.Error("the writer was not closed")
	}
}

// Eight callers as fast as they can, and somebody who looks all the time: the
// account must add up at every moment, and the stream in the end.
func TestAccountAddsUpAtEveryMoment(t *testing.T) {
	for _, policy := range []Policy{Drop, Block, Fallback} {
		t.Run(fmt.Sprint(policy), func(t *testing.T) {
			var beside atomic.Uint64
			o := &QueueOptions{Capacity: 64, MaxWait: -1, Policy: policy}
			if policy == Fallback {
				o.Fallback = Func(func(*CallEvent) { beside.Add(1) })
			}
			w := &lines{before: func(Batch) error { runtime.Gosched(); return nil }}
			q := NewQueue(w, o)
			stop := make(chan struct{})
			var watch, callers sync.WaitGroup
			var begun, done atomic.Uint64
			watch.Go(func() { watchAccount(t, q, &begun, &done, stop) })
			const each = 5000
			for range 8 {
				callers.Go(func() {
					for range each {
						begun.Add(1)
						q.OnCall(call("x"))
						done.Add(1)
					}
				})
			}
			callers.Wait()
			close(stop)
			watch.Wait()
			closeQueue(t, q)
			checkStream(t, q, w.all(), 8*each)
			if s := q.Stats(); policy == Block && s.Lost != 0 || policy == Fallback && beside.Load() != s.Lost {
				t.Errorf("stats %+v, %d went beside", s, beside.Load())
			}
		})
	}
}

// watchAccount holds the account against the calls that have begun and that
// have returned, until stop is closed.
func watchAccount(t *testing.T, q *Queue, begun, done *atomic.Uint64, stop <-chan struct{}) {
	for {
		least := done.Load()
		s := q.Stats()
		most := begun.Load()
		if s.Admitted != s.Written+s.Lost+s.Queued || s.Admitted < least || s.Admitted > most || s.Queued > most {
			t.Errorf("between %d and %d calls: %+v", least, most, s)
			return
		}
		select {
		case <-stop:
			return
		default:
			runtime.Gosched()
		}
	}
}

// A burst far beyond the capacity, and a writer that is slow but gets on:
// callers wait a little, and nothing is lost. (Real disks: see bench/.)
func TestBurstLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &lines{before: func(Batch) error { time.Sleep(500 * time.Microsecond); return nil }}
		q := NewQueue(w, &QueueOptions{Capacity: 16, MaxWait: 9 * time.Millisecond})
		var callers sync.WaitGroup
		const each = 10_000
		for range 2 {
			callers.Go(func() {
				ev := call("x")
				for range each {
					q.OnCall(ev)
				}
			})
		}
		callers.Wait()
		closeQueue(t, q)
		checkStream(t, q, w.all(), 2*each)
		if lost := q.Stats().Lost; lost != 0 {
			t.Errorf("lost %d of %d", lost, 2*each)
		}
	})
}

// With a writer that stands still, a caller waits for it at most once.
func TestStalledWriterIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var well atomic.Bool
		w := &lines{before: func(Batch) error {
			if !well.Load() {
				time.Sleep(10 * time.Second)
			}
			return nil
		}}
		q := NewQueue(w, &QueueOptions{Capacity: 16})
		for range 20_000 { // more than the backlog holds
			q.OnCall(call("x"))
		}
		time.Sleep(time.Second)
		start := time.Now()
		for range 20_000 {
			q.OnCall(call("x"))
		}
		if took := time.Since(start); took > 5*time.Millisecond {
			t.Errorf("20,000 calls waited %v in all", took)
		}
		well.Store(true)
		closeQueue(t, q)
		checkStream(t, q, w.all(), 40_000)
	})
}

func TestRetryLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tries atomic.Int32
		w := &lines{}
		w.before = func(Batch) error {
			if tries.Add(1) < 6 {
				return &WriteError{Retry: true, Err: errors.New("disk full")}
			}
			return nil
		}
		q := NewQueue(w, nil)
		for range 100 {
			q.OnCall(call("x"))
		}
		time.Sleep(100 * time.Millisecond)
		if s := q.Stats(); s.State != Degraded || s.Lost != 0 {
			t.Errorf("stats %+v", s)
		}
		time.Sleep(10 * time.Second)
		closeQueue(t, q)
		checkStream(t, q, w.all(), 100)
		if s := q.Stats(); s.Lost != 0 || s.WriteErrors != 5 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestBlockHasALimit(t *testing.T) {
	gate := make(chan struct{})
	w := &lines{before: func(Batch) error { <-gate; return nil }}
	q := NewQueue(w, &QueueOptions{Capacity: 2, Policy: Block, BlockLimit: 5 * time.Millisecond})
	deadline := time.Now().Add(20 * time.Second)
	for q.Stats().Lost == 0 && time.Now().Before(deadline) {
		for range 100 {
			q.OnCall(&CallEvent{ToolID: strings.Repeat("x", 1000)})
		}
	}
	close(gate)
	closeQueue(t, q)
	if s := q.Stats(); s.Lost == 0 {
		t.Error("Block waited for ever")
	}
	checkStream(t, q, w.all(), q.Stats().Admitted)
}

func TestBytesAreBounded(t *testing.T) {
	q := still(new(lines), 1<<10)
	big := strings.Repeat("x", 200<<10)
	for range 500 {
		q.OnCall(&CallEvent{ToolID: "x", Args: big, Outcome: Success()})
	}
	var held int64
	for i := range q.ring.slots {
		held += q.ring.slots[i].ev.size()
	}
	if held > q.maxBytes || held < q.maxBytes/2 || held != q.heavy.Load() {
		t.Errorf("%d bytes wait, %d are charged", held, q.heavy.Load())
	}
	for b := q.stage.take(); b != nil; b = q.stage.take() {
		q.drain.deliver(b)
		q.stage.recycle(b)
	}
	if q.heavy.Load() != 0 {
		t.Errorf("%d bytes are still charged", q.heavy.Load())
	}
}

func TestPanickingFallbackIsIsolated(t *testing.T) {
	gate := make(chan struct{})
	w := &lines{before: func(Batch) error { <-gate; return nil }}
	q := NewQueue(w, &QueueOptions{Capacity: 2, Fallback: Func(func(*CallEvent) { panic("no") })})
	for range 50_000 {
		q.OnCall(call("x"))
	}
	close(gate)
	closeQueue(t, q)
	if s := q.Stats(); s.Panics != s.Lost || s.Lost == 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestOnCallDoesNotAllocate(t *testing.T) {
	q := New(io.Discard, &QueueOptions{Capacity: 1 << 16})
	n := testing.AllocsPerRun(1000, func() {
		now := time.Now()
		q.OnCall(&CallEvent{Time: now, CallID: NewCallIDAt(now), ToolID: "x", Duration: time.Since(now), Outcome: Success()})
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
	closeQueue(t, q)
}

func TestCountersOutliveTheQueue(t *testing.T) {
	var c Counters
	q := New(io.Discard, &QueueOptions{Counters: &c, FirstSeq: 100})
	for range 10 {
		q.OnCall(call("x"))
	}
	closeQueue(t, q)
	if n := c.Load(); n.Enqueued != 10 || n.Written != 10 || n.Queued() != 0 || n.Lost() != 0 {
		t.Errorf("counts %+v", n)
	}
}

func TestFirstSeq(t *testing.T) {
	var out bytes.Buffer
	q := New(&out, &QueueOptions{FirstSeq: 100})
	q.OnCall(call("x"))
	closeQueue(t, q)
	if !strings.Contains(out.String(), `"seq":100,`) {
		t.Errorf("wrote %s", out.String())
	}
}

// The first call after a long pause finds the drain parked, and wakes it.
func TestParkedDrainWakesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := new(lines)
		q := NewQueue(w, nil)
		time.Sleep(time.Minute)
		q.OnCall(call("x"))
		synctest.Wait()
		if len(w.all()) != 1 {
			t.Error("the event was not written at once")
		}
		closeQueue(t, q)
	})
}

func TestLargeEventIsLetInAlone(t *testing.T) {
	q := NewQueue(new(lines), &QueueOptions{MaxBytes: 4096, Policy: Block, BlockLimit: 20 * time.Second})
	for range 3 {
		q.OnCall(&CallEvent{ToolID: "x", Args: strings.Repeat("1", 8000)})
	}
	closeQueue(t, q)
	if s := q.Stats(); s.Written != 3 {
		t.Errorf("stats %+v", s)
	}
}

// A lasting failure is said once, from where a handler may look at the queue.
func TestStateIsLoggedOnce(t *testing.T) {
	var q *Queue
	said := 0
	log := slog.New(handler(func() { said++; q.Stats(); panic("handler") }))
	w := &lines{before: func(Batch) error { return errors.New("no") }}
	q = NewQueue(w, &QueueOptions{Logger: log})
	for range 20 {
		_ = q.Record(context.Background(), call("x"))
	}
	closeQueue(t, q)
	if said != 1 {
		t.Errorf("said %d times", said)
	}
}

type handler func()

func (handler) Enabled(context.Context, slog.Level) bool    { return true }
func (h handler) Handle(context.Context, slog.Record) error { h(); return nil }
func (h handler) WithAttrs([]slog.Attr) slog.Handler        { return h }
func (h handler) WithGroup(string) slog.Handler             { return h }
