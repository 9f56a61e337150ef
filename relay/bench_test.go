package relay

import (
	"bytes"
	"fmt"
	"io"
	"os"
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

const (
	benchCall  = `{"jsonrpc":"2.0","id":123,"method":"tools/call","params":{"name":"echo","arguments":{"message":"hello"}}}`
	benchReply = `{"result":{"content":[{"type":"text","text":"Echo: hello"}]},"jsonrpc":"2.0","id":123}`
)

// BenchmarkObserveCall is a call, its reply and the event, without and with
// digests.
func BenchmarkObserveCall(b *testing.B) {
	for name, key := range map[string][]byte{"plain": nil, "digests": []byte("key")} {
		b.Run(name, func(b *testing.B) {
			o := New(&Options{MACKey: key})
			call, reply := []byte(benchCall), []byte(benchReply)
			b.ReportAllocs()
			for b.Loop() {
				o.FromClient(call)
				o.FromServer(reply)
			}
		})
	}
}

func BenchmarkObservePing(b *testing.B) {
	o := New(nil)
	ping, pong := []byte(`{"jsonrpc":"2.0","id":5,"method":"ping"}`), []byte(`{"jsonrpc":"2.0","id":5,"result":{}}`)
	b.ReportAllocs()
	for b.Loop() {
		o.FromClient(ping)
		o.FromServer(pong)
	}
}

// BenchmarkRelay is the way of a message there and back over four pipes: as
// plain bytes, and observed. The difference is what the observer adds to a
// call.
func BenchmarkRelay(b *testing.B) {
	for _, size := range []int{0, 64 << 10} {
		pad := strings.Repeat("x", size)
		call := strings.Replace(benchCall, "hello", pad+"hello", 1) + "\n"
		reply := strings.Replace(benchReply, "hello", pad+"hello", 1) + "\n"
		for _, observed := range []bool{false, true} {
			b.Run(fmt.Sprintf("%dKiB/observed=%v", size>>10, observed), func(b *testing.B) { benchmarkRelay(b, call, reply, observed) })
		}
	}
}

func benchmarkRelay(b *testing.B, call, reply string, observed bool) {
	o := New(&Options{MACKey: []byte("key")})
	var p [8]*os.File
	for i := 0; i < len(p); i += 2 {
		r, w, err := os.Pipe()
		if err != nil {
			b.Fatal(err)
		}
		defer r.Close()
		defer w.Close()
		r.Fd() // blocking mode
		w.Fd()
		p[i], p[i+1] = r, w
	}
	nothing := func([]byte) {}
	if observed {
		go o.PumpClient(p[3], p[0])
		go o.PumpServer(p[7], p[4])
	} else {
		go Pump(p[3], p[0], nothing, nil)
		go Pump(p[7], p[4], nothing, nil)
	}
	go func() { // the server
		buf := make([]byte, len(call))
		for {
			if _, err := io.ReadFull(p[2], buf); err != nil {
				return
			}
			io.WriteString(p[5], reply)
		}
	}()
	buf := make([]byte, len(reply))
	b.ReportAllocs()
	for b.Loop() {
		go io.WriteString(p[1], call)
		if _, err := io.ReadFull(p[6], buf); err != nil {
			b.Fatal(err)
		}
	}
	p[1].Close()
	p[5].Close()
}
