package audit

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

// lines is a Writer that keeps what it accepts. before, if set, runs first and
// may refuse.
type lines struct {
	mu     sync.Mutex
	got    []string // guarded by mu
	syncs  int      // guarded by mu
	synced int      // guarded by mu: how many lines were there at the last sync
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
	l.synced = len(l.got)
	return nil
}

// durable is how many lines there were at the last sync.
func (l *lines) durable() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.synced
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

// checkStream holds a closed queue's account against its stream.
func checkStream(t *testing.T, q *Queue, stream []string, admitted uint64) {
	t.Helper()
	events, last, lost := account(t, stream)
	s := q.Stats()
	if s.Admitted != admitted || s.Queued != 0 || events != s.Written || total(lost) != s.Lost || last != admitted {
		t.Errorf("%d admitted; stream: %d events, lost %v, last number %d; stats %+v", admitted, events, lost, last, s)
	}
}
