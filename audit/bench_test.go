package audit

import (
	"io"
	"testing"
	"time"
)

func BenchmarkAppendJSON(b *testing.B) {
	ev := relayEvent()
	var e encoder
	dst := e.append(nil, ev)
	b.SetBytes(int64(len(dst)))
	b.ReportAllocs()
	for b.Loop() {
		dst = e.append(dst[:0], ev)
	}
}

func BenchmarkDecode(b *testing.B) {
	line := relayEvent().AppendJSON(nil)
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(line); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewCallID(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		NewCallID()
	}
}

func BenchmarkOnCall(b *testing.B) {
	q := New(io.Discard, nil)
	ev := relayEvent()
	b.ReportAllocs()
	for b.Loop() {
		q.OnCall(ev)
	}
	b.ReportMetric(float64(q.Stats().Lost)/float64(b.N), "lost/op")
}

// relayEvent is an event as the relay makes them: about 500 bytes.
func relayEvent() *CallEvent {
	return &CallEvent{
		Time: time.Now(), CallID: NewCallID(), ToolID: "read_text_file", CallerID: "inspector",
		Duration: 1234 * time.Microsecond, Outcome: Success(), Overhead: 12 * time.Microsecond, DecidedBy: ByTool,
		Principal: "uid:1000", SessionID: NewCallID(), RequestID: "17", Server: "filesystem",
		Transport: TransportStdio, Client: "inspector/0.15.0", ArgsBytes: 41, ResultBytes: 1290,
	}
}
