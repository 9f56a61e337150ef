package audit

import (
	"context"
	"errors"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"
)

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
	if n := w.durable(); n != 64*50 {
		t.Errorf("%d lines were durable when all had returned", n)
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

// Record must not outlive a queue that was given up.
func TestRecordEndsWithTheQueue(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	for name, w := range map[string]*lines{
		"hangs": {before: func(Batch) error { <-hang; return nil }},
		"full":  {before: func(Batch) error { return &WriteError{Retry: true, Err: errors.New("full")} }},
	} {
		q := NewQueue(w, nil)
		result := make(chan error, 1)
		go func() { result <- q.Record(context.Background(), call("x")) }()
		for q.Stats().Admitted == 0 {
			runtime.Gosched()
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
		_ = q.Close(ctx)
		cancel()
		if err := <-result; !errors.Is(err, ErrClosed) {
			t.Errorf("%s: Record returned %v", name, err)
		}
	}
}

func TestRecordOnAPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	q := New(w, nil)
	if err := q.Record(context.Background(), call("x")); err != nil {
		t.Error(err)
	}
	closeQueue(t, q)
}

func TestRecordOfNothing(t *testing.T) {
	q := NewQueue(new(lines), nil)
	if err := q.Record(context.Background(), nil); err == nil {
		t.Error("nothing was recorded")
	}
	closeQueue(t, q)
}
