package relay

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// found is a message as a test compares it: the JSON text of each field.
type found map[field]string

// scanPieces scans a frame in pieces of n bytes (0 = whole) whose memory is
// overwritten after use.
func scanPieces(frame []byte, n int) (out []found, ambiguous bool) {
	s := &scanner{top: nMessage}
	s.msg.keepTools = true
	s.emit = func(m *message) {
		f := found{}
		for k := field(1); k < numFields; k++ {
			if m.has(k) {
				f[k] = string(m.raw(k))
			}
		}
		ambiguous = ambiguous || m.ambiguous
		out = append(out, f)
	}
	if n == 0 {
		s.feed(frame)
		return out, ambiguous
	}
	buf := make([]byte, n)
	for len(frame) > 0 {
		k := copy(buf, frame)
		s.feed(buf[:k])
		s.suspend()
		for i := range buf {
			buf[i] = '"'
		}
		frame = frame[k:]
	}
	return out, ambiguous
}

func TestScan(t *testing.T) {
	deep := strings.Repeat(`[`, 20000) + strings.Repeat(`]`, 20000)
	for _, c := range []struct {
		name, frame string
		want        []found
		ambiguous   bool
	}{
		{"call", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"m":"hi"}}}`,
			[]found{{fID: `7`, fMethod: `"tools/call"`, fName: `"echo"`, fArgs: `{"m":"hi"}`}}, false},
		{"order and space", " {\t\"params\" : { \"arguments\" : [ 1 , {} ] , \"name\":\"a\" } , \"id\" : \"x\" ,\"method\":\"m\" } \r",
			[]found{{fID: `"x"`, fMethod: `"m"`, fName: `"a"`, fArgs: `[ 1 , {} ]`}}, false},
		{"pretty", "{\n  \"id\": 7,\n  \"method\": \"m\",\n  \"params\": {\n    \"name\": \"a\"\n  }\n}",
			[]found{{fID: `7`, fMethod: `"m"`, fName: `"a"`}}, false},
		{"escaped key", `{"met\u0068od":"tools\/call","id":1}`, []found{{fMethod: `"tools\/call"`, fID: `1`}}, false},
		{"deep", `{"id":1,"method":"tools/call","params":{"arguments":` + deep + `,"name":"d"}}`,
			[]found{{fID: `1`, fMethod: `"tools/call"`, fArgs: deep, fName: `"d"`}}, false},
		{"batch", `[{"id":1,"method":"a"},{"id":"1","method":"b"},3,[{"id":9}]]`,
			[]found{{fID: `1`, fMethod: `"a"`}, {fID: `"1"`, fMethod: `"b"`}}, false},
		{"two values", `{"id":1}{"id":2}`, []found{{fID: `1`}, {fID: `2`}}, false},
		{"byte order mark", "\xef\xbb\xbf{\"id\":1}", []found{{fID: `1`}}, false},
		{"nested names are not keys", `{"id":1,"params":{"arguments":{"name":"x","method":"y","arguments":{}}},"x":{"id":2}}`,
			[]found{{fID: `1`, fArgs: `{"name":"x","method":"y","arguments":{}}`}}, false},
		{"result", `{"result":{"content":[{"type":"text","text":"a\"b"},{"text":"no"}],"isError":true},"jsonrpc":"2.0","id":3}`,
			[]found{{fID: `3`, fText: `"a\"b"`, fIsError: `true`,
				fResult: `{"content":[{"type":"text","text":"a\"b"},{"text":"no"}],"isError":true}`}}, false},
		{"error", `{"id":null,"error":{"code":-32602,"message":"m","data":{"code":1}}}`,
			[]found{{fID: `null`, fError: `{"code":-32602,"message":"m","data":{"code":1}}`, fCode: `-32602`, fErrText: `"m"`}}, false},
		{"tools", `{"id":1,"result":{"tools":[{"name":"a"}],"nextCursor":"c"}}`,
			[]found{{fID: `1`, fTools: `[{"name":"a"}]`, fNextCursor: `"c"`, fResult: `{"tools":[{"name":"a"}],"nextCursor":"c"}`}}, false},
		{"task", `{"id":1,"result":{"task":{"taskId":"t","status":"working"}}}`,
			[]found{{fID: `1`, fNewTaskID: `"t"`, fNewStatus: `"working"`, fResult: `{"task":{"taskId":"t","status":"working"}}`}}, false},
		{"meta", `{"id":1,"params":{"_meta":{"traceparent":"00-x","io.modelcontextprotocol/clientInfo":{"name":"n","version":"v"}}}}`,
			[]found{{fID: `1`, fTrace: `"00-x"`, fClient: `"n"`, fClientVersion: `"v"`}}, false},
		{"duplicate, last wins", `{"id":1,"params":{"name":"a","name":"b"}}`, []found{{fID: `1`, fName: `"b"`}}, true},
		{"case variant", `{"id":1,"params":{"name":"ok","Name":"zzz"}}`, []found{{fID: `1`, fName: `"zzz"`}}, true},
		{"long s folds", `{"id":1,"paramſ":{"name":"a"}}`, []found{{fID: `1`, fName: `"a"`}}, true},
		{"two ids", `{"id":1,"Id":"2"}`, []found{{fID: `"2"`, fOtherID: `1`}}, true},
		{"junk", `Listening on {"id":1}`, nil, false},
		{"number", `12 {"id":1}`, nil, false},
		{"empty", ``, nil, false},
		{"truncated", `{"id":1,"method":"tools/call"`, nil, false},
		{"wrong brackets", `{"id":1,"params":{"name":"a"]]`, []found{{fID: `1`, fName: `"a"`}}, false},
		{"no value", `{"id":,"method":}`, []found{{}}, false},
		{"no colon", `{"id" 1 "method":"a"}`, []found{{fMethod: `"a"`}}, false},
		{"not UTF-8", "{\"id\":\"\xff\xfe\",\"method\":\"a\"}", []found{{fID: "\"\xff\xfe\"", fMethod: `"a"`}}, false},
		{"backslashes", `{"x":"\\\\","y":"\\\"","id":"\\"}`, []found{{fID: `"\\"`}}, false},
		{"objects where strings belong", `{"id":{"id":3},"method":["tools/call"],"params":[{"name":"a"}]}`,
			[]found{{fID: `{"id":3}`, fMethod: `["tools/call"]`}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, n := range []int{0, 1, 2, 3, 7, 64} {
				got, ambiguous := scanPieces([]byte(c.frame), n)
				wantKept := c.want
				if !sameFound(got, wantKept, n > 0) || ambiguous != c.ambiguous {
					t.Errorf("in pieces of %d: %v, ambiguous %v", n, got, ambiguous)
				}
			}
		})
	}
}

// sameFound compares messages; in pieces, fields that are not kept are empty.
func sameFound(got, want []found, pieces bool) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range want {
		if len(got[i]) != len(want[i]) {
			return false
		}
		for f, w := range want[i] {
			if g, ok := got[i][f]; !ok || g != w && !(pieces && keep[f] < len(w)) {
				return false
			}
		}
	}
	return true
}

// TestScanSizes checks that a value is counted and digested in pieces as it is
// in one.
func TestScanSizes(t *testing.T) {
	frame := []byte(`{"id":1,"result":{"content":[{"type":"text","text":"` + strings.Repeat(`é\n`, 80000) + `"}]}}`)
	for _, n := range []int{5, 1000, 70000} {
		s := &scanner{top: nMessage}
		s.msg.digest = newDigest([]byte("k"))
		var size int64
		var sum, text []byte
		s.emit = func(m *message) {
			size, sum, text = m.size(fResult), m.vals[fResult].sum.Sum(nil), bytes.Clone(m.raw(fText))
		}
		for rest := frame; len(rest) > 0; {
			k := min(n, len(rest))
			s.feed(rest[:k])
			s.suspend()
			rest = rest[k:]
		}
		var v struct{ Result json.RawMessage }
		if err := json.Unmarshal(frame, &v); err != nil {
			t.Fatal(err)
		}
		h := newDigest([]byte("k"))()
		h.Write(v.Result)
		if size != int64(len(v.Result)) || !bytes.Equal(sum, h.Sum(nil)) || len(text) != keep[fText] {
			t.Errorf("pieces of %d: size %d, digest %x, %d bytes of text", n, size, sum, len(text))
		}
	}
}

func TestScanDoesNotAllocate(t *testing.T) {
	s := &scanner{top: nMessage, emit: func(*message) {}}
	frames := [][]byte{
		[]byte(`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"m":"hi"},"_meta":{"progressToken":1}}}`),
		[]byte(`{"result":{"content":[{"type":"text","text":"hi"}],"structuredContent":{"a":[1,2]}},"jsonrpc":"2.0","id":7}`),
	}
	if n := testing.AllocsPerRun(100, func() {
		for _, f := range frames {
			s.feed(f)
			s.reset()
		}
	}); n != 0 {
		t.Errorf("%v allocations per frame", n)
	}
}
