package audit

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestCallIDsAscend(t *testing.T) {
	before := time.Now().UnixMilli()
	var ids []string
	for range 10_000 {
		ids = append(ids, NewCallID())
	}
	if !slices.IsSorted(ids) || len(slices.Compact(slices.Clone(ids))) != len(ids) {
		t.Error("ids do not ascend")
	}
	millis := int64(0)
	for _, c := range ids[0][:10] {
		millis = millis<<5 | int64(strings.IndexRune(crockford, c))
	}
	if millis < before || millis > time.Now().UnixMilli() {
		t.Errorf("%s holds the time %d, want %d", ids[0], millis, before)
	}
	if len(ids[0]) != 26 || strings.Trim(ids[0], crockford) != "" {
		t.Errorf("%q is no ULID", ids[0])
	}
}

func TestCallIDsAscendWhenTheClockDoesNot(t *testing.T) {
	var s callIDSource
	last := s.next(1000)
	for _, millis := range []uint64{1000, 1000, 999, 1, 1001, 5} {
		id := s.next(millis)
		if id <= last {
			t.Errorf("at %d: %s after %s", millis, id, last)
		}
		last = id
	}
	s.high, s.low = 1<<16-1, 1<<64-1
	at := s.next(0)
	s.high, s.low = 1<<16-1, 1<<64-1
	if next := s.next(0); next <= at {
		t.Errorf("on overflow: %s after %s", next, at)
	}
}

func TestCallIDsAreUniqueAcrossGoroutines(t *testing.T) {
	const callers, each = 8, 5000
	made := make([][]string, callers)
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for range each {
				made[c] = append(made[c], NewCallID())
			}
		})
	}
	wg.Wait()
	seen := make(map[string]bool, callers*each)
	for _, id := range slices.Concat(made...) {
		if seen[id] {
			t.Fatalf("%s was made twice", id)
		}
		seen[id] = true
	}
}

func TestNewCallIDDoesNotAllocate(t *testing.T) {
	if n := testing.AllocsPerRun(1000, func() { NewCallID() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
