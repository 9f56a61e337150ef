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

// Every Close says the same, and a later one does not cut the first one short.
func TestLaterCloses(t *testing.T) {
	var room atomic.Bool
	w := &lines{before: func(Batch) error {
		if !room.Load() {
			return &WriteError{Retry: true, Err: errors.New("full")}
		}
		return nil
	}}
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(w, nil)
		q.OnCall(call("x"))
		first := make(chan error, 1)
		go func() { first <- q.Close(context.Background()) }()
		synctest.Wait()
		gone, cancel := context.WithCancel(context.Background())
		cancel()
		if err := q.Close(gone); !errors.Is(err, context.Canceled) {
			t.Errorf("the second Close returned %v", err)
		}
		synctest.Wait()
		room.Store(true)
		if err := <-first; err != nil || q.Stats().Written != 1 {
			t.Errorf("the first Close returned %v, %+v", err, q.Stats())
		}
	})
	left := NewQueue(&lines{before: func(Batch) error { return &WriteError{Retry: true, Err: errors.New("full")} }}, nil)
	left.OnCall(call("x"))
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	_ = left.Close(ctx)
	<-left.done
	var ce *CloseError
	if err := left.Close(context.Background()); !errors.As(err, &ce) || ce.Left != 1 {
		t.Errorf("a later Close returned %v", err)
	}
}

// What is given up at the deadline is declared, if the writer takes a line.
func TestLossAtTheDeadlineIsDeclared(t *testing.T) {
	release := make(chan struct{})
	var writes atomic.Int32
	w := &lines{before: func(Batch) error {
		if writes.Add(1) == 1 {
			<-release
		}
		return nil
	}}
	q := NewQueue(w, &QueueOptions{Capacity: 4096})
	for range 2000 {
		q.OnCall(&CallEvent{Time: time.Now(), ToolID: strings.Repeat("x", 1000), Outcome: Success()})
	}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(time.Millisecond, func() { close(release) })
	cancel()
	if err := q.Close(ctx); err == nil {
		t.Error("Close says that all is well")
	}
	<-q.done
	checkStream(t, q, w.all(), 2000)
	if _, _, lost := account(t, w.all()); lost[LossClosed] == 0 || lost[LossClosed] != q.Stats().Lost {
		t.Errorf("declared %v, lost %d", lost, q.Stats().Lost)
	}
}

func TestWriterThatEndsTheGoroutine(t *testing.T) {
	q := NewQueue(&lines{before: func(Batch) error { runtime.Goexit(); return nil }}, nil)
	q.OnCall(call("x"))
	<-q.done
	var ce *CloseError
	if err := q.Close(context.Background()); !errors.As(err, &ce) || ce.Left != 1 {
		t.Errorf("closed with %v", err)
	}
}

func TestFanoutClosesAllAtOnce(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	stuck := NewQueue(&lines{before: func(Batch) error { <-hang; return nil }}, nil)
	good := new(lines)
	f := Multi(stuck, panicsOnClose{}, NewQueue(good, nil))
	f.OnCall(call("x"))
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := f.Close(ctx); err == nil || !strings.Contains(err.Error(), "panic") {
		t.Errorf("closed with %v", err)
	}
	if !good.closed || len(good.all()) != 1 {
		t.Error("the healthy member was not closed")
	}
}

type panicsOnClose struct{}

func (panicsOnClose) OnCall(*CallEvent)           {}
func (panicsOnClose) Close(context.Context) error { panic("no") }
