package audittest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/audit"
)

// TestSink holds a sink to its contract: callable from many goroutines at
// once, no panic on an event with nothing in it, no use of the event once
// OnCall has returned, no change to it, and every call seen once.
//
// open makes a sink and a function that ends its work and returns the ids of
// the calls it has seen, in any order.
func TestSink(t *testing.T, open func(t *testing.T) (sink audit.Sink, seen func() []string)) {
	t.Run("concurrent", func(t *testing.T) {
		sink, seen := open(t)
		const callers, each = 8, 50
		var wg sync.WaitGroup
		for c := range callers {
			wg.Go(func() {
				for i := range each {
					sink.OnCall(event(fmt.Sprintf("call-%d-%d", c, i)))
				}
			})
		}
		wg.Wait()
		count := tally(seen())
		for c := range callers {
			for i := range each {
				if id := fmt.Sprintf("call-%d-%d", c, i); count[id] != 1 {
					t.Errorf("%s was seen %d times", id, count[id])
				}
			}
		}
	})
	t.Run("reused event", func(t *testing.T) {
		sink, seen := open(t)
		ev := event("first")
		sink.OnCall(ev)
		*ev = *event("second")
		sink.OnCall(ev)
		*ev = audit.CallEvent{}
		if count := tally(seen()); count["first"] != 1 || count["second"] != 1 {
			t.Errorf("saw %v", count)
		}
	})
	t.Run("unchanged event", func(t *testing.T) {
		sink, seen := open(t)
		ev, same := event("call"), event("call")
		ev.Time, same.Time = time.Unix(1, 0), time.Unix(1, 0)
		sink.OnCall(ev)
		seen()
		if have, want := fmt.Sprintf("%+v", *ev), fmt.Sprintf("%+v", *same); have != want {
			t.Errorf("the event became\n%s, was\n%s", have, want)
		}
	})
	t.Run("empty event", func(t *testing.T) {
		sink, seen := open(t)
		sink.OnCall(&audit.CallEvent{})
		seen()
	})
}

func event(id string) *audit.CallEvent {
	return &audit.CallEvent{
		Time: time.Now(), CallID: id, ToolID: "audittest.tool", CallerID: "audittest",
		GrantedCapabilities: []string{"read"}, Duration: time.Millisecond,
		Outcome: audit.CapabilityDenied([]string{"write"}), DecidedBy: audit.ByPolicy,
	}
}

func tally(ids []string) map[string]int {
	count := make(map[string]int)
	for _, id := range ids {
		count[id]++
	}
	return count
}
