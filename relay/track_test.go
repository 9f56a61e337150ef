package relay

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestQueues compares the tracker's queues with plain lists.
func TestQueues(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var tr tracker
	tr.init(0)
	model := map[string][]*request{}
	ids := []string{"1", `"1`, "2.5", "1e2"}
	for range 5000 {
		id := ids[r.IntN(len(ids))]
		list := model[id]
		if len(list) < 4 && r.IntN(2) == 0 {
			q := &request{key: id}
			if duplicate := tr.expect(q); duplicate != (len(list) > 0) {
				t.Fatalf("%s: duplicate is %v among %d", id, duplicate, len(list))
			}
			model[id] = append(list, q)
		} else if len(list) > 0 {
			i := r.IntN(len(list))
			tr.forget(list[i])
			tr.forget(list[i])
			model[id] = slices.Delete(list, i, i+1)
		}
		for _, id := range ids {
			var want *request
			if len(model[id]) > 0 {
				want = model[id][0]
			}
			if got := tr.find([]byte(id)); got != want {
				t.Fatalf("%s: %p, want %p", id, got, want)
			}
		}
	}
}

// TestExpiredOrder checks that what was heard of last expires last, and that
// a call which waits for the client does not.
func TestExpiredOrder(t *testing.T) {
	var tr tracker
	tr.init(0)
	begin := time.Now()
	calls := make([]*call, 5)
	for i := range calls {
		calls[i] = &call{tool: fmt.Sprint(i), active: begin.Add(time.Duration(i) * time.Second)}
		tr.add(calls[i])
	}
	tr.touch(calls[1], begin.Add(10*time.Second))
	calls[2].stage = stageWaiting
	list, wait := tr.expired(begin.Add(13*time.Second), 10*time.Second)
	if len(list) != 2 || list[0] != calls[0] || list[1] != calls[3] || wait != time.Second {
		t.Errorf("%d expired, next in %v", len(list), wait)
	}
	if left := tr.drain(); len(left) != 3 || tr.count != 0 {
		t.Errorf("%d left", len(left))
	}
}

func TestErrorCode(t *testing.T) {
	for raw, want := range map[string]string{
		"-32602": "-32602", "-32602.0": "-32602", "-3.2602e4": "-32602", "0": "0", "429": "429", "": "UNKNOWN",
		`"E"`: "UNKNOWN", "null": "UNKNOWN", "1234567890123456789012": "UNKNOWN", "--": "UNKNOWN",
	} {
		if got := errorCode([]byte(raw)); got != want {
			t.Errorf("%s: %s, want %s", raw, got, want)
		}
	}
}
