package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// lines is a Writer that keeps what it accepts. before, if set, runs first and
// may refuse.
type lines struct {
	mu     sync.Mutex
	got    []string // guarded by mu
	syncs  int      // guarded by mu
	closed bool     // guarded by mu
	before func(Batch) error
}

func (l *lines) Write(_ context.Context, b Batch) error {
	keep := b.Lines
	var err error
	if l.before != nil {
		if err = l.before(b); err != nil {
			keep = 0
			var we *WriteError
			if errors.As(err, &we) {
				keep = we.Lines
			}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range b.All() {
		if keep--; keep < 0 {
			break
		}
		l.got = append(l.got, string(line))
	}
	return err
}

func (l *lines) Sync(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.syncs++
	return nil
}

func (l *lines) Close(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	return nil
}

func (l *lines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.got...)
}

// account adds up a finished stream: how many events it holds, how many it
// declares lost by reason, and its last number. It fails on a jump in seq that
// the line behind it does not declare, and on a number used twice.
func account(t *testing.T, stream []string) (events, last uint64, lost map[LossReason]uint64) {
	t.Helper()
	lost = make(map[LossReason]uint64)
	for _, line := range stream {
		ev, err := Decode([]byte(line))
		var declared *Lost
		var seq uint64
		if errors.Is(err, ErrNote) {
			declared, seq = parseLostNote(t, line)
			last += declared.Count
		} else if err != nil {
			t.Fatalf("%v: %s", err, line)
		} else {
			declared, seq = ev.Lost, ev.Seq
			events++
			last++
			if declared != nil {
				last += declared.Count
			}
		}
		if declared != nil {
			lost[declared.Reason] += declared.Count
			if declared.Last.Before(declared.First) {
				t.Errorf("the loss ends before it begins: %s", line)
			}
		}
		if seq != last {
			t.Fatalf("number %d where %d was due: %s", seq, last, line)
		}
	}
	return events, last, lost
}

func parseLostNote(t *testing.T, line string) (*Lost, uint64) {
	t.Helper()
	// A note has the fields of an event, as far as they go.
	text := strings.Replace(line, `{"note":"lost",`, `{"tool_id":"","outcome":{"kind":"success"},`, 1)
	ev, err := Decode([]byte(text))
	if err != nil || ev.Lost == nil {
		t.Fatalf("not a note of a loss (%v): %s", err, line)
	}
	return ev.Lost, ev.Seq
}

func total(lost map[LossReason]uint64) (n uint64) {
	for _, count := range lost {
		n += count
	}
	return n
}

func call(tool string) *CallEvent {
	return &CallEvent{Time: time.Now(), CallID: NewCallID(), ToolID: tool, Outcome: Success()}
}

func closeQueue(t *testing.T, q *Queue) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := q.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

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
			watch.Go(func() { watchAccount(t, q, stop) })
			const each = 5000
			for range 8 {
				callers.Go(func() {
					for range each {
						q.OnCall(call("x"))
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

func watchAccount(t *testing.T, q *Queue, stop <-chan struct{}) {
	for {
		s := q.Stats()
		if s.Admitted != s.Written+s.Lost+s.Queued || s.Queued > 1<<20 {
			t.Errorf("does not add up: %+v", s)
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

// checkStream holds a closed queue's account against its stream.
func checkStream(t *testing.T, q *Queue, stream []string, admitted uint64) {
	t.Helper()
	events, last, lost := account(t, stream)
	s := q.Stats()
	if s.Admitted != admitted || s.Queued != 0 || events != s.Written || total(lost) != s.Lost || last != admitted {
		t.Errorf("%d admitted; stream: %d events, lost %v, last number %d; stats %+v", admitted, events, lost, last, s)
	}
}

func TestBurstLosesNothing(t *testing.T) {
	w := new(lines)
	q := NewQueue(w, nil)
	var callers sync.WaitGroup
	const each = 50_000
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
	t.Logf("lost %d of %d", q.Stats().Lost, 2*each)
}

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

func TestLossAtTheEndIsDeclaredAtClose(t *testing.T) {
	gate := make(chan struct{})
	w := &lines{before: func(Batch) error { <-gate; return nil }}
	q := NewQueue(w, &QueueOptions{Capacity: 4, MaxWait: -1})
	for range 50_000 {
		q.OnCall(call("x"))
	}
	close(gate)
	closeQueue(t, q)
	stream := w.all()
	checkStream(t, q, stream, 50_000)
	if end := stream[len(stream)-1]; !strings.HasPrefix(end, `{"note":"lost","ts":"`) {
		t.Errorf("the stream ends with %s", end)
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

func TestCloseReturnsByItsDeadline(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	w := &lines{before: func(Batch) error { <-hang; return nil }}
	q := NewQueue(w, nil)
	for range 10 {
		q.OnCall(call("x"))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	start := time.Now()
	err := q.Close(ctx)
	var ce *CloseError
	if !errors.As(err, &ce) || ce.Left != 10 || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("closed with %v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

// A full device never takes a line. Close says how many it left, and counts
// them.
func TestCloseOnAFullDisk(t *testing.T) {
	w := &lines{before: func(Batch) error { return &WriteError{Retry: true, Err: errors.New("disk full")} }}
	q := NewQueue(w, nil)
	for range 10 {
		q.OnCall(call("x"))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	var ce *CloseError
	if err := q.Close(ctx); !errors.As(err, &ce) || ce.Left != 10 {
		t.Errorf("closed with %v", err)
	}
	<-q.done
	if s := q.Stats(); s.Lost != 10 || s.Queued != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestAfterClose(t *testing.T) {
	q := NewQueue(new(lines), nil)
	closeQueue(t, q)
	q.OnCall(call("late"))
	q.OnCall(nil)
	if err := q.Record(context.Background(), call("late")); !errors.Is(err, ErrClosed) {
		t.Errorf("Record returned %v", err)
	}
	if s := q.Stats(); s.Admitted != 2 || s.Lost != 2 {
		t.Errorf("stats %+v", s)
	}
	closeQueue(t, q)
}

func TestRecordIsDurable(t *testing.T) {
	w := new(lines)
	q := NewQueue(w, nil)
	var callers sync.WaitGroup
	for range 64 {
		callers.Go(func() {
			for range 50 {
				ev := call("x")
				if err := q.Record(context.Background(), ev); err != nil {
					t.Error(err)
				}
			}
		})
	}
	callers.Wait()
	if n := len(w.all()); n != 64*50 {
		t.Errorf("%d lines were written when all had returned", n)
	}
	if w.syncs == 0 || w.syncs >= 64*50 {
		t.Errorf("%d syncs for %d events: no group commit", w.syncs, 64*50)
	}
	closeQueue(t, q)
	checkStream(t, q, w.all(), 64*50)
}

func TestRecordTellsOfRefusal(t *testing.T) {
	w := &lines{before: func(Batch) error { return errors.New("no") }}
	q := NewQueue(w, nil)
	if err := q.Record(context.Background(), call("x")); err == nil || err.Error() != "no" {
		t.Errorf("Record returned %v", err)
	}
	w2 := &lines{before: func(Batch) error { return &WriteError{Retry: true, Err: errors.New("full")} }}
	q2 := NewQueue(w2, nil)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := q2.Record(ctx, call("x")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Record returned %v", err)
	}
	closed, cancelled := context.WithCancel(context.Background())
	cancelled()
	_, _ = q.Close(closed), q2.Close(closed)
	<-q.done
	<-q2.done
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
	gate := make(chan struct{})
	w := &lines{before: func(Batch) error { <-gate; return nil }}
	q := NewQueue(w, &QueueOptions{Capacity: 1 << 16, MaxBytes: 1 << 20, MaxWait: -1})
	big := strings.Repeat("x", 200<<10)
	for range 500 {
		q.OnCall(&CallEvent{ToolID: "x", Args: big, Outcome: Success()})
	}
	var held int64
	for i := range q.ring.slots {
		held += q.ring.slots[i].ev.size()
	}
	if held > 1<<20 || q.Stats().Lost == 0 {
		t.Errorf("%d bytes wait, stats %+v", held, q.Stats())
	}
	close(gate)
	closeQueue(t, q)
	checkStream(t, q, w.all(), 500)
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
