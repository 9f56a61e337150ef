package relay

import (
	"bytes"
	"strings"
	"testing"
)

func benchmarkScan(b *testing.B, frame string) {
	s := &scanner{top: nMessage, emit: func(*message) {}}
	p := []byte(frame)
	b.SetBytes(int64(len(p)))
	b.ReportAllocs()
	for b.Loop() {
		s.feed(p)
		s.reset()
	}
}

func BenchmarkScan100B(b *testing.B) {
	benchmarkScan(b, `{"jsonrpc":"2.0","id":123,"method":"tools/call","params":{"name":"echo","arguments":{"message":"hi"}}}`)
}

func BenchmarkScanReply100B(b *testing.B) {
	benchmarkScan(b, `{"result":{"content":[{"type":"text","text":"Echo: hello, how are you?"}]},"jsonrpc":"2.0","id":123}`)
}

func BenchmarkScanLongString(b *testing.B) {
	benchmarkScan(b, `{"id":1,"method":"tools/call","params":{"name":"w","arguments":{"text":"`+strings.Repeat("x", 1<<20)+`"}}}`)
}

func BenchmarkScanProse(b *testing.B) {
	benchmarkScan(b, `{"id":1,"method":"tools/call","params":{"name":"w","arguments":{"text":"`+strings.Repeat(`He said: \"a line of text of usual length\".\n`, 3000)+`"}}}`)
}

func BenchmarkScanDense(b *testing.B) {
	benchmarkScan(b, `{"id":1,"method":"tools/call","params":{"name":"w","arguments":[`+string(bytes.Repeat([]byte(`{"a":1,"bc":"de","f":[1,2,3]},`), 4000))+`0]}}`)
}
