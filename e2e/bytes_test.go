//go:build linux

package e2e

import (
	"bytes"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// What a client sends reaches the server as it is, and what the server sends
// reaches the client as it is: through a server that sends everything back,
// one comparison shows both.
func TestBytesPassUntouched(t *testing.T) {
	noise := make([]byte, 4<<20)
	for i, r := 0, rand.New(rand.NewPCG(1, 2)); i < len(noise); i++ {
		noise[i] = byte(r.Uint32())
	}
	big := strings.Repeat("x", 50<<20)
	cases := map[string]string{
		"nothing":              "",
		"empty lines":          "\n\n\r\n\n",
		"junk":                 "not json\n{]\n\"\n\x00\x01\x02\n",
		"no newline":           `{"jsonrpc":"2.0","id":1,"method":"ping"}`,
		"CRLF":                 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\r\n",
		"invalid UTF-8":        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\xfe\xc0\x80\"}\n",
		"byte order mark":      "\xef\xbb\xbf{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n",
		"batch":                `[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}},{"jsonrpc":"2.0","id":2,"method":"ping"}]` + "\n",
		"unknown method":       `{"jsonrpc":"2.0","id":1,"method":"no/such","params":{"x":[1,2,{"y":null}]},"extra":1e400}` + "\n",
		"odd spacing":          " \t{ \"id\" : 12345678901234567890 ,\t\"method\" : \"tools/call\" } \n",
		"deep":                 `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + "}}\n",
		"noise":                string(noise),
		"50 MB, not a call":    `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"x":"` + big + `"}}` + "\n",
		"50 MB call":           `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"x":"` + big + `"}}}` + "\n",
		"50 MB without a line": big,
	}
	for name, in := range cases {
		t.Run(name, func(t *testing.T) {
			s := dial(t, "", run(t.TempDir(), server("cat")))
			go func() {
				io.WriteString(s.in, in)
				s.in.Write([]byte(lastLine))
			}()
			out := make([]byte, len(in)+len(lastLine))
			if n, err := io.ReadFull(s.out, out); err != nil {
				t.Fatalf("%d of %d bytes: %v; stderr: %s", n, len(out), err, s.talk())
			}
			if sha256.Sum256(out) != sha256.Sum256([]byte(in+lastLine)) {
				at := 0
				for at < len(in) && out[at] == in[at] {
					at++
				}
				t.Errorf("differs at byte %d of %d: %q", at, len(in), excerpt(out, at))
			}
			if peak := peakMemory(t, s.cmd.Process.Pid); peak > memoryLimit && !raced() {
				t.Errorf("the relay used %d MB", peak>>20)
			}
			s.in.Close()
			if rest, err := io.ReadAll(s.out); err != nil || len(rest) > 0 {
				t.Errorf("at the end: %q, %v", rest, err)
			}
			if status := s.over(); !status.Exited() || status.ExitStatus() != 0 {
				t.Errorf("the relay ended with %v; stderr: %s", status, s.talk())
			}
		})
	}
}

// lastLine ends each case without a newline: what has no end must pass too,
// while the client holds its side open.
const lastLine = `{"jsonrpc":"2.0","id":99,"method":"ping"`

// memoryLimit is what a relay may use, in bytes, whatever passes. Up to 16 MiB
// are lines that wait to be hashed for the seal, and the collector may let as
// much again lie.
const memoryLimit = 96 << 20

func excerpt(b []byte, at int) []byte {
	return bytes.Clone(b[max(0, at-20):min(len(b), at+20)])
}
