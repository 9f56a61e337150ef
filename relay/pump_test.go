package relay

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/tooltrail/tooltrail/audit"
)

// TestPumpKeepsBytes passes what is no protocol at all.
func TestPumpKeepsBytes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var in []byte
	for range 20000 {
		switch r.IntN(5) {
		case 0:
			in = append(in, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}`+"\r\n"...)
		case 1:
			in = append(in, "junk \xff\xfe\x00 \"[{\n"...)
		case 2:
			in = append(in, `[{"id":1,"result":{}},{"method":"x/y"}]`+"\n\n"...)
		case 3:
			in = append(in, byte(r.IntN(256)))
		case 4:
			in = append(in, `{"a":"`+strings.Repeat("\\\"", r.IntN(50))...)
		}
	}
	o := New(nil)
	for name, pump := range map[string]func(io.Writer, io.Reader) error{"client": o.PumpClient, "server": o.PumpServer} {
		for _, src := range []io.Reader{bytes.NewReader(in), iotest.OneByteReader(bytes.NewReader(in)), iotest.DataErrReader(bytes.NewReader(in))} {
			var out bytes.Buffer
			if err := pump(&out, src); err != nil || !bytes.Equal(out.Bytes(), in) {
				t.Errorf("%s: %v; %d bytes in, %d out", name, err, len(in), out.Len())
			}
		}
	}
}

// TestPumpDoesNotWait checks that half a line is passed on at once.
func TestPumpDoesNotWait(t *testing.T) {
	o := New(nil)
	for _, pump := range []func(io.Writer, io.Reader) error{o.PumpClient, o.PumpServer} {
		srcR, srcW := io.Pipe()
		dstR, dstW := io.Pipe()
		done := make(chan error, 1)
		go func() { done <- pump(dstW, srcR) }()
		half := []byte(`{"jsonrpc":"2.0","id":1,"method":"tools/c`)
		got := make([]byte, len(half))
		if _, err := srcW.Write(half); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(dstR, got); err != nil || !bytes.Equal(got, half) {
			t.Fatalf("%q, %v", got, err)
		}
		srcW.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// TestPumpOrder checks that a call is known before it reaches the server, and
// that a reply reaches the client before its event is made.
func TestPumpOrder(t *testing.T) {
	var rec recorder
	o := New(&Options{Sink: &rec})
	toServer := writerFunc(func(p []byte) (int, error) {
		if o.InFlight() != 1 {
			t.Error("the server has a call that is not known")
		}
		return len(p), nil
	})
	if err := o.PumpClient(toServer, strings.NewReader(`{"id":1,"method":"tools/call","params":{"name":"a"}}`)); err != nil {
		t.Fatal(err)
	}
	toClient := writerFunc(func(p []byte) (int, error) {
		if len(rec.all()) != 0 {
			t.Error("the reply waited for its event")
		}
		return len(p), nil
	})
	if err := o.PumpServer(toClient, strings.NewReader(`{"id":1,"result":{}}`+"\n")); err != nil {
		t.Fatal(err)
	}
	if got := rec.all(); len(got) != 1 || got[0].Outcome.Kind != audit.KindSuccess {
		t.Errorf("%+v", got)
	}
}

func TestPumpErrors(t *testing.T) {
	broken := errors.New("broken")
	seen := 0
	observe := func(p []byte) { seen += len(p) }
	for _, c := range []struct {
		name string
		dst  io.Writer
		end  error
		want error
	}{
		{"end", io.Discard, io.EOF, nil},
		{"read", io.Discard, broken, broken},
		{"write", writerFunc(func([]byte) (int, error) { return 0, broken }), io.EOF, broken},
		{"short", writerFunc(func(p []byte) (int, error) { return len(p) - 1, nil }), io.EOF, io.ErrShortWrite},
	} {
		for _, first := range []bool{true, false} {
			seen = 0
			src := io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(c.end))
			if err := Pump(c.dst, src, observe, &PumpOptions{ObserveFirst: first}); !errors.Is(err, c.want) || seen != 3 {
				t.Errorf("%s: %v, %d bytes observed", c.name, err, seen)
			}
		}
	}
}

// A repeater reads as a prefix, n times a part, and a suffix.
func repeater(prefix, part string, n int, suffix string) io.Reader {
	return io.MultiReader(strings.NewReader(prefix), io.LimitReader(&endless{part: part}, int64(n*len(part))), strings.NewReader(suffix))
}

type endless struct {
	part string
	at   int
}

func (e *endless) Read(p []byte) (n int, err error) {
	for n < len(p) {
		k := copy(p[n:], e.part[e.at:])
		n += k
		e.at = (e.at + k) % len(e.part)
	}
	return n, nil
}

// An expecter is a writer that expects what r reads.
type expecter struct {
	r   io.Reader
	buf [bufferSize]byte
}

func (e *expecter) Write(p []byte) (int, error) {
	want := e.buf[:len(p)]
	if _, err := io.ReadFull(e.r, want); err != nil || !bytes.Equal(p, want) {
		return 0, errors.New("other bytes than expected")
	}
	return len(p), nil
}

// TestHugeFrames passes frames of 50 MB, within constant memory.
func TestHugeFrames(t *testing.T) {
	const part = `0123456789\"abcdefghijklmno\\`
	const n = 50_000_000 / len(part)
	var rec recorder
	o := New(&Options{Sink: &rec, MACKey: []byte("k")})
	for _, c := range []struct {
		name           string
		pump           func(io.Writer, io.Reader) error
		prefix, suffix string
	}{
		{"other request", o.PumpClient, `{"id":1,"method":"resources/x","params":{"uri":"`, "\"}}\n"},
		{"other reply", o.PumpServer, `{"id":1,"result":{"contents":[{"text":"`, "\"}]}}\n"},
		{"no JSON", o.PumpServer, `Listening `, "\n"},
		{"call", o.PumpClient, `{"id":1,"method":"tools/call","params":{"name":"w","arguments":{"text":"`, "\"}}}\n"},
		{"reply", o.PumpServer, `{"result":{"content":[{"type":"text","text":"`, "\"}]},\"id\":1}\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := &expecter{r: repeater(c.prefix, part, n, c.suffix)}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if err := c.pump(want, repeater(c.prefix, part, n, c.suffix)); err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 6<<20 {
				t.Errorf("allocated %d bytes", grown)
			}
			if rest, err := io.Copy(io.Discard, want.r); rest > 0 || err != nil {
				t.Errorf("%d bytes are missing, %v", rest, err)
			}
		})
	}
	got := rec.all()
	if len(got) != 1 || got[0].ArgsBytes != int64(n*len(part)+11) || len(got[0].ArgsMAC) != 64 ||
		got[0].ResultBytes != int64(n*len(part)+39) || len(got[0].ResultMAC) != 64 {
		t.Errorf("%+v", got)
	}
}

// TestPipes passes calls through real pipes, both ways at once.
func TestPipes(t *testing.T) {
	var rec recorder
	o := New(&Options{Sink: &rec})
	clientOut, toServer := pipe(t)
	serverIn, relayToServer := pipe(t)
	serverOut, relayFromServer := pipe(t)
	clientIn, toClient := pipe(t)
	done := make(chan error, 3)
	go func() { err := o.PumpClient(relayToServer, clientOut); relayToServer.Close(); done <- err }()
	go func() { err := o.PumpServer(toClient, serverOut); toClient.Close(); done <- err }()
	go func() { // a server that answers what it gets with the same id
		defer relayFromServer.Close()
		_, err := io.Copy(relayFromServer, &answers{r: serverIn})
		done <- err
	}()
	go func() {
		for range 500 {
			io.WriteString(toServer, `{"id":1,"method":"tools/call","params":{"name":"a","arguments":{"x":"`+strings.Repeat("y", 300)+`"}}}`+"\n")
		}
		toServer.Close()
	}()
	got, err := io.ReadAll(clientIn)
	if err != nil || bytes.Count(got, []byte("\n")) != 500 {
		t.Errorf("%d replies, %v", bytes.Count(got, []byte("\n")), err)
	}
	for range 3 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := len(rec.all()); n != 500 || o.InFlight() != 0 {
		t.Errorf("%d events, %d in flight", n, o.InFlight())
	}
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// answers reads requests and reads as their replies.
type answers struct {
	r    io.Reader
	left []byte
}

func (a *answers) Read(p []byte) (int, error) {
	buf := make([]byte, 8<<10)
	for len(a.left) == 0 {
		n, err := a.r.Read(buf)
		if err != nil {
			return 0, err
		}
		a.left = bytes.Repeat([]byte(`{"result":{"content":[]},"id":1}`+"\n"), bytes.Count(buf[:n], []byte("\n")))
	}
	n := copy(p, a.left)
	a.left = a.left[n:]
	return n, nil
}
