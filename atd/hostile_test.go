package atd

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/dispatch"
)

// heap is how much memory is in use, in MiB.
func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc >> 20)
}

// TestMillionToolIDs calls a million tools that do not exist. What is kept of
// them does not grow.
func TestMillionToolIDs(t *testing.T) {
	n := 1_000_000
	if testing.Short() || raceEnabled {
		n = 20_000 // over the wire each takes ten times as long then
	}
	path, server, events := serve(t, nil)
	c, err := Dial(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	recorded := 0
	before := heap()
	for i := range n {
		_, err := c.Run(context.Background(), &dispatch.RunTool{ToolID: fmt.Sprintf("%s-%d", strings.Repeat("x", 100), i), Args: json.RawMessage(`{}`)})
		if e, ok := err.(*dispatch.Error); !ok || !strings.HasPrefix(e.Message, "tool not found: ") {
			t.Fatal(err)
		}
		if i%1000 == 999 {
			recorded += len(events.Events())
			events.Reset()
		}
	}
	recorded += len(events.Events())
	events.Reset()
	if grown := heap() - before; grown > 8 {
		t.Errorf("the heap grew by %d MiB", grown)
	}
	if m := server.Snapshot(); recorded != n || len(m.Tools) != 2 || m.Tools[""].Outcomes["tool_not_found"] != uint64(n) {
		t.Errorf("%d events; %+v", recorded, m)
	}
}

// TestResultOf100MB calls tools whose results no frame could carry.
func TestResultOf100MB(t *testing.T) {
	huge := strings.Repeat("x", 100<<20)
	path, _, events := serve(t, nil,
		dispatch.Func(dispatch.Definition{ID: "text", Tier: dispatch.TierCold}, func(context.Context, *dispatch.Call, any) (any, error) { return huge, nil }),
		dispatch.Func(dispatch.Definition{ID: "raw", Tier: dispatch.TierCold}, func(context.Context, *dispatch.Call, any) (any, error) {
			return json.RawMessage(`"` + huge + `"`), nil
		}),
		dispatch.Func(dispatch.Definition{ID: "error", Tier: dispatch.TierCold}, func(context.Context, *dispatch.Call, any) (any, error) {
			return nil, dispatch.Fail("IO", false, "%s", huge)
		}))
	nc := dial(t, path)
	for tool, want := range map[string]string{"text": "OUTPUT_TOO_LARGE", "raw": "OUTPUT_TOO_LARGE", "error": "IO"} {
		send(t, nc, `{"type":"run_tool","tool_id":"`+tool+`","args":{},"dry_run":false}`)
		if got := receive(t, nc); len(got) > 32<<10 || !strings.Contains(got, `"code":"`+want+`"`) {
			t.Errorf("%s: %.200s", tool, got)
		}
		if ev := events.Events()[len(events.Events())-1]; ev.Outcome.Code != want || ev.ResultBytes > 32<<10 {
			t.Errorf("%s: %+v", tool, ev.Outcome)
		}
	}
	send(t, nc, `{"type":"ping"}`)
	receive(t, nc)
}

// TestArgumentsThatParsersReadInTwoWays are refused, with an event.
func TestArgumentsThatParsersReadInTwoWays(t *testing.T) {
	path, _, events := serve(t, nil)
	nc := dial(t, path)
	send(t, nc, `{"type":"run_tool","tool_id":"ref:echo.say","args":{"a":1,"a":2},"dry_run":false}`)
	if got := receive(t, nc); !strings.Contains(got, "invalid args for ref:echo.say: /a: the key stands twice") {
		t.Error(got)
	}
	if ev := events.One(t); ev.Outcome.Kind != audit.KindInvalidArgs {
		t.Errorf("%+v", ev.Outcome)
	}
	// As deep as the reader goes, and one further.
	for depth, want := range map[int]string{9_990: "tool_result", 10_010: `"code":400`} {
		nc := dial(t, path)
		send(t, nc, `{"type":"run_tool","tool_id":"ref:echo.say","args":{"a":`+strings.Repeat("[", depth)+strings.Repeat("]", depth)+`},"dry_run":false}`)
		if got := receive(t, nc); !strings.Contains(got, want) {
			t.Errorf("%d levels: %.100s", depth, got)
		}
	}
}

// TestLengthWithoutAFrame announces ten megabytes from many clients, and sends
// none of them.
func TestLengthWithoutAFrame(t *testing.T) {
	path, server, _ := serve(t, nil)
	before := heap()
	const clients = 200
	for range clients {
		_, _ = dial(t, path).Write([]byte{0, 0x9f, 0xff, 0xff})
	}
	for deadline := time.Now().Add(5 * time.Second); server.Snapshot().Open < clients && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond) // for the four bytes to be read
	if grown := heap() - before; grown > 20 {
		t.Errorf("the heap grew by %d MiB", grown)
	}
}

// TestClientThatDoesNotRead is given up, and holds up nobody.
func TestClientThatDoesNotRead(t *testing.T) {
	path, server, _ := serve(t, &ServerOptions{HelloTimeout: 200 * time.Millisecond, FrameTimeout: 200 * time.Millisecond},
		dispatch.Func(dispatch.Definition{ID: "large"}, func(context.Context, *dispatch.Call, any) (any, error) {
			return strings.Repeat("x", 1<<20-100), nil
		}))
	nc := dial(t, path)
	for range 4 {
		send(t, nc, `{"type":"run_tool","tool_id":"large","args":{},"dry_run":false}`)
	}
	for _, open := range []int{1, 0} {
		for deadline := time.Now().Add(5 * time.Second); server.Snapshot().Open != open; {
			if time.Now().After(deadline) {
				t.Fatalf("%d connections are open, want %d", server.Snapshot().Open, open)
			}
			time.Sleep(time.Millisecond)
		}
	}
}

// TestShutdownWithAClientThatDoesNotRead waits for its patience and a second.
func TestShutdownWithAClientThatDoesNotRead(t *testing.T) {
	path, server, _ := serve(t, nil,
		dispatch.Func(dispatch.Definition{ID: "large"}, func(context.Context, *dispatch.Call, any) (any, error) {
			return strings.Repeat("x", 1<<20-100), nil
		}))
	nc := dial(t, path)
	send(t, nc, `{"type":"run_tool","tool_id":"large","args":{},"dry_run":false}`)
	for server.Snapshot().Events == 0 {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if err := server.Shutdown(ctx); err == nil || time.Since(start) > 4*time.Second {
		t.Errorf("after %v: %v", time.Since(start), err)
	}
}

// TestManyClientsLeave leaves a hundred calls, whose tool obeys: each has its
// event, and no goroutine stays.
func TestManyClientsLeave(t *testing.T) {
	const clients = 100
	begun := make(chan struct{}, clients)
	path, server, events := serve(t, nil, waiting(begun))
	before := runtime.NumGoroutine()
	for range clients {
		nc := dial(t, path)
		send(t, nc, callWait)
		<-begun
		nc.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	all, err := events.Wait(ctx, clients)
	if err != nil {
		t.Fatal(err)
	}
	for _, ev := range all {
		if ev.Outcome.Code != audit.CodeClientGone {
			t.Errorf("%+v", ev.Outcome)
		}
	}
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before || server.Snapshot().Open > 0; {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if m := server.Snapshot(); m.Running != 0 || m.Overrunning != 0 || len(events.Events()) != clients {
		t.Errorf("%+v", m)
	}
}
