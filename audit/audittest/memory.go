// Package audittest helps to test what observes tool calls, and what emits
// them: a sink that remembers, and the suites that every [audit.Sink] and every
// [audit.Writer] must pass.
//
//	var seen audittest.Memory
//	dispatcher.Sink = &seen
//	dispatcher.Run("no.such.tool", nil)
//	if ev := seen.One(t); ev.Outcome.Kind != audit.KindToolNotFound { … }
package audittest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/audit"
)

// Memory is a sink that keeps a copy of every event. The zero value is ready;
// all methods are safe for concurrent use.
type Memory struct {
	mu      sync.Mutex
	events  []audit.CallEvent // guarded by mu
	changed chan struct{}     // guarded by mu: closed and replaced by each event
}

// OnCall keeps a copy of ev.
func (m *Memory) OnCall(ev *audit.CallEvent) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events = append(m.events, *ev)
	if m.changed != nil {
		close(m.changed)
		m.changed = nil
	}
}

// Events returns the events so far, in the order of their arrival.
func (m *Memory) Events() []audit.CallEvent {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]audit.CallEvent(nil), m.events...)
}

// Reset forgets the events so far.
func (m *Memory) Reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events = nil
}

// Wait returns the events once there are at least n, or an error when ctx ends
// before.
func (m *Memory) Wait(ctx context.Context, n int) ([]audit.CallEvent, error) {
	for {
		events, changed := m.look()
		if len(events) >= n {
			return events, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return events, fmt.Errorf("audittest: %d of %d events: %w", len(events), n, ctx.Err())
		}
	}
}

func (m *Memory) look() ([]audit.CallEvent, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.changed == nil {
		m.changed = make(chan struct{})
	}
	return append([]audit.CallEvent(nil), m.events...), m.changed
}

// One returns the only event, and fails the test if there is another number of
// them after ten seconds at most.
func (m *Memory) One(t testing.TB) audit.CallEvent {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	events, err := m.Wait(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(events) != 1 {
		t.Fatalf("want one event, have %d: %+v", len(events), events)
	}
	return events[0]
}
