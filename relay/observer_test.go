package relay

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tooltrail/tooltrail/audit"
)

// TestEveryCallEndsOnce lets a client and a server talk at once, with replies
// out of order, cancels and a sudden end, and counts the events.
func TestEveryCallEndsOnce(t *testing.T) {
	const calls = 2000
	var rec recorder
	o := New(&Options{Sink: &rec})
	var wg sync.WaitGroup
	replies := make(chan int, 64)
	wg.Go(func() {
		defer close(replies)
		for i := range calls {
			o.FromClient(fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"t%d","arguments":{"i":%d}}}`, i, i, i))
			if i%7 == 0 {
				o.FromClient(fmt.Appendf(nil, `{"method":"notifications/cancelled","params":{"requestId":%d}}`, i))
			}
			replies <- i
		}
	})
	wg.Go(func() {
		var held []int
		answer := func(id int) { o.FromServer(fmt.Appendf(nil, `{"id":%d,"result":{"content":[]}}`, id)) }
		for id := range replies {
			if held = append(held, id); len(held) == 16 {
				rand.Shuffle(len(held), func(i, j int) { held[i], held[j] = held[j], held[i] })
				for _, id := range held[:15] {
					answer(id)
				}
				held = held[:0] // one in sixteen gets no reply
			}
		}
	})
	wg.Wait()
	o.Close(EndServerExited)
	o.Close(EndClientGone)
	seen := map[string]int{}
	for _, ev := range rec.all() {
		seen[ev.ToolID]++
		if ev.RequestID != ev.ToolID[1:] {
			t.Errorf("%s has id %s", ev.ToolID, ev.RequestID)
		}
	}
	for i := range calls {
		if n := seen[fmt.Sprintf("t%d", i)]; n != 1 {
			t.Errorf("call %d has %d events", i, n)
		}
	}
	if o.InFlight() != 0 {
		t.Errorf("in flight: %d", o.InFlight())
	}
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var rec recorder
		o := New(&Options{Sink: &rec, Timeout: time.Minute})
		call := func(id int) {
			o.FromClient(fmt.Appendf(nil, `{"id":%d,"method":"tools/call","params":{"name":"t%d"}}`, id, id))
		}
		call(1)
		time.Sleep(30 * time.Second)
		call(2)
		call(3)
		o.FromServer([]byte(`{"id":3,"result":{}}`))
		time.Sleep(30*time.Second + time.Millisecond)
		synctest.Wait()
		if got := rec.all(); len(got) != 2 || got[1].ToolID != "t1" || got[1].Outcome.Code != audit.CodeTimeout || got[1].Duration < time.Minute {
			t.Fatalf("after a minute: %+v", got)
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if got := rec.all(); len(got) != 3 || got[2].ToolID != "t2" {
			t.Fatalf("after a minute and a half: %+v", got)
		}
		call(4) // the timer starts again
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if got := rec.all(); len(got) != 4 || o.InFlight() != 0 {
			t.Fatalf("in the end: %+v", got)
		}
	})
}

func TestPassingFramesDoNotAllocate(t *testing.T) {
	o := New(&Options{MACKey: []byte("k")})
	o.FromClient([]byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"slow"}}`))
	ping, pong := []byte(`{"jsonrpc":"2.0","id":5,"method":"ping"}`), []byte(`{"jsonrpc":"2.0","id":5,"result":{}}`)
	note := []byte(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":2}}`)
	junk := []byte("Listening on stdio\r")
	tap := o.ServerTap()
	half1, half2 := []byte(`{"jsonrpc":"2.0","id":"a long id","resu`), []byte("lt\":{\"content\":[]}}\n")
	if n := testing.AllocsPerRun(200, func() {
		o.FromClient(ping)
		o.FromServer(pong)
		o.FromServer(note)
		o.FromServer(junk)
		tap.Observe(half1)
		tap.Observe(half2)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestManyLines checks that a call which a client writes over several lines,
// for a server that reads a stream of values, is recorded and flagged, and
// that lines between are read for themselves.
func TestManyLines(t *testing.T) {
	var rec recorder
	o := New(&Options{Sink: &rec})
	tap := o.ClientTap()
	tap.Observe([]byte("{\"id\":1,\n \"method\":\"tools/call\",\n\"params\":{\"name\":\"hidden\",\"arguments\":[1\n2]"))
	tap.Observe([]byte("\n}}\n{\"id\":2,\"method\":\"tools/call\",\"params\":{\"name\":\"plain\"}}\n"))
	tap.Observe([]byte("{\"id\":3,\"method\":\"tools/call\",\"params\":{\"name\":\"torn\n{\"id\":4,\"method\":\"tools/call\",\"params\":{\"name\":\"after\"}}\n"))
	tap.Observe([]byte("{\"x\":\n{\"id\":5,\"method\":\"tools/call\",\"params\":{\"name\":\"inside\"}}\n}\n"))
	tap.Observe([]byte("[\n{\"id\":6,\n\"method\":\"tools/call\",\"params\":{\"name\":\"batch\"}}\n]\n"))
	for i, torn := range []string{"{", "[", `[{"b":2,`, `{"a":1,`, `{"a":1`, `{"a"`, `{"params":{"name":"x"`, `{"a":[`} {
		fmt.Fprintf(writerFunc(func(p []byte) (int, error) { tap.Observe(p); return len(p), nil }),
			"%s\n{\"id\":1%d,\"method\":\"tools/call\",\"params\":{\"name\":\"n%d\"}}\n{}\n", torn, i, i)
	}
	o.Close(EndClientGone)
	var got []string
	for _, ev := range rec.all() {
		got = append(got, ev.ToolID+strings.Join(ev.Flags, "+"))
	}
	if want := "hiddenambiguous_keys plain after inside batchambiguous_keys n0 n1 n2 n3 n4 n5 n6 n7"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestLongNames(t *testing.T) {
	long := strings.Repeat("é", 5000)
	for _, whole := range []bool{true, false} {
		var rec recorder
		o := New(&Options{Sink: &rec})
		frame := []byte(`{"id":"` + long + `","method":"tools/call","params":{"name":"` + long + `"}}` + "\n")
		if whole {
			o.FromClient(frame[:len(frame)-1])
		} else {
			tap := o.ClientTap()
			for i := range frame {
				tap.Observe(frame[i : i+1])
			}
		}
		o.FromServer([]byte(`{"result":{},"id":"` + long + `"}`))
		got := rec.all()
		if len(got) != 1 {
			t.Fatalf("%d events", len(got))
		}
		ev := got[0]
		if ev.ToolID != long[:maxText] || len(ev.RequestID) > 2*maxID || len(ev.Truncated) != 1 ||
			ev.Truncated[0].Field != "tool_id" || ev.Truncated[0].Bytes != 10000 || len(ev.Truncated[0].SHA256) != 64 {
			t.Errorf("whole %v: name of %d bytes, id %.20s, %+v", whole, len(ev.ToolID), ev.RequestID, ev.Truncated)
		}
	}
}

func TestSinkThatPanics(t *testing.T) {
	o := New(&Options{Sink: audit.Func(func(*audit.CallEvent) { panic("sink") })})
	o.FromClient([]byte(`{"id":1,"method":"tools/call","params":{"name":"a"}}`))
	o.FromServer([]byte(`{"id":1,"result":{}}`))
	if o.InFlight() != 0 {
		t.Error("call still in flight")
	}
}

// TestFaultOfOurs checks that a fault under the lock neither stops the bytes
// nor the calls that follow.
func TestFaultOfOurs(t *testing.T) {
	var rec recorder
	var log strings.Builder
	broken := true
	o := New(&Options{Sink: &rec, Logger: slog.New(slog.NewTextHandler(&log, nil)), Now: func() time.Time {
		if broken {
			panic("clock")
		}
		return time.Now()
	}})
	tap := o.ClientTap()
	tap.ObserveAt([]byte(`{"id":1,"method":"tools/call","params":{"name":"a"}}`+"\n"), time.Now())
	broken = false
	tap.ObserveAt([]byte(`{"id":2,"method":"tools/call","params":{"name":"b"}}`+"\n"), time.Now())
	o.FromServer([]byte(`{"id":2,"result":{}}`))
	if got := rec.all(); len(got) != 1 || got[0].ToolID != "b" || !strings.Contains(log.String(), "panicked") {
		t.Errorf("%+v; log %s", got, log.String())
	}
}

// TestBounded checks what a hostile peer can make us keep.
func TestBounded(t *testing.T) {
	o := New(&Options{MaxInFlight: 100})
	args := strings.Repeat("x", 200<<10)
	for i := range 120 {
		o.FromClient(fmt.Appendf(nil, `{"id":%d,"method":"tools/call","params":{"name":"a","arguments":%q}}`, i, args))
		o.FromClient(fmt.Appendf(nil, `{"id":1e%d,"method":"tools/list"}`, i))
	}
	for i := range 3 * maxOthers {
		o.FromClient(fmt.Appendf(nil, `{"id":"l%d","method":"tools/list"}`, i))
		o.FromServer(fmt.Appendf(nil, `{"method":"notifications/tasks/status","params":{"taskId":"%d","status":"completed"}}`, i))
	}
	tr := &o.track
	if tr.count != 100 || tr.argBytes > maxArgs || len(tr.requests) > 100+maxOthers || len(tr.alias) > 2*(100+maxOthers) ||
		len(tr.others) > maxOthers || len(tr.early) > maxEarly || o.listing.Load() > maxOthers || o.InFlight() != 100 {
		t.Errorf("%d calls, %d bytes, %d requests, %d aliases, %d others, %d early, %d listing, %d in flight",
			tr.count, tr.argBytes, len(tr.requests), len(tr.alias), len(tr.others), len(tr.early), o.listing.Load(), o.InFlight())
	}
	o.Close(EndStopped)
	if tr.count != 0 || tr.argBytes != 0 || len(tr.tasks) != 0 || len(tr.waiting) != 0 || tr.oldest != nil || tr.newest != nil {
		t.Errorf("left after Close: %+v", tr)
	}
}

func TestDeepArguments(t *testing.T) {
	var rec recorder
	o := New(&Options{Sink: &rec})
	o.FromClient([]byte(`{"id":1,"method":"tools/list"}`))
	o.FromServer([]byte(`{"id":1,"result":{"tools":[{"name":"deep","inputSchema":{"type":"string"}}]}}`))
	deep := strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000)
	o.FromClient([]byte(`{"id":2,"method":"tools/call","params":{"arguments":` + deep + `,"name":"deep"}}`))
	o.FromServer([]byte(`{"id":2,"result":{"isError":true,"content":[{"text":"too deep"}]}}`))
	got := rec.all()
	if len(got) != 1 || got[0].ArgsBytes != int64(len(deep)) || got[0].Outcome.Code != audit.CodeToolError {
		t.Errorf("%+v", got)
	}
}

// failOnLog returns a logger that fails the test: the observer says something
// only when it is at fault.
func failOnLog(t *testing.T) *slog.Logger { return slog.New(slog.NewTextHandler(logFailer{t}, nil)) }

type logFailer struct{ t *testing.T }

func (l logFailer) Write(p []byte) (int, error) {
	l.t.Errorf("the observer says: %s", p)
	return len(p), nil
}
