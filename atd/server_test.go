package atd

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/audit/audittest"
	"github.com/tooltrail/tooltrail/dispatch"
)

// serve starts a server with a few tools, and returns its socket and what it
// records.
func serve(t *testing.T, o *ServerOptions, tools ...dispatch.Tool) (path string, server *Server, events *audittest.Memory) {
	t.Helper()
	events = &audittest.Memory{}
	echo := dispatch.Func(dispatch.Definition{ID: "ref:echo.say", InputSchema: json.RawMessage(`{"type":"object"}`)},
		func(_ context.Context, c *dispatch.Call, _ struct{}) (any, error) {
			return map[string]any{"echoed": c.Args}, nil
		})
	registry, err := dispatch.NewRegistry(append(tools, echo)...)
	if err != nil {
		t.Fatal(err)
	}
	d, err := dispatch.New(registry, &dispatch.Options{Sink: events, Allow: []string{"read"}})
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "s")
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	server = NewServer(d, o)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = server.Shutdown(ctx)
		if err := <-served; !errors.Is(err, ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
	})
	return path, server, events
}

func dial(t *testing.T, path string) net.Conn {
	t.Helper()
	nc, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(10 * time.Second))
	return nc
}

func send(t *testing.T, nc net.Conn, body string) {
	t.Helper()
	frame, err := AppendFrame(nil, []byte(body))
	if err == nil {
		_, err = nc.Write(frame)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, nc net.Conn) string {
	t.Helper()
	body, err := ReadFrame(nc, nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// closed wants the server to have closed the connection.
func closed(t *testing.T, nc net.Conn) {
	t.Helper()
	if n, err := nc.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("after the end: %d bytes, %v", n, err)
	}
}

func TestWireFixtures(t *testing.T) {
	files, err := filepath.Glob("testdata/wire/*.json")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d fixtures: %v", len(files), err)
	}
	path, _, _ := serve(t, nil)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			var f struct {
				Send   json.RawMessage `json:"send"`
				Want   any             `json:"expect_response_matches"`
				Prefix string          `json:"expect_wire_bytes_prefix_hex"`
			}
			text, err := os.ReadFile(file)
			if err == nil {
				err = json.Unmarshal(text, &f)
			}
			if err != nil {
				t.Fatal(err)
			}
			q, err := DecodeRequest(f.Send)
			if err != nil {
				t.Fatal(err)
			}
			frame, err := AppendFrame(nil, AppendRequest(nil, q))
			if err != nil || !strings.HasPrefix(hex.EncodeToString(frame), f.Prefix) {
				t.Errorf("the frame begins %x, want %s (%v)", frame[:4], f.Prefix, err)
			}
			nc := dial(t, path)
			send(t, nc, string(f.Send))
			var got any
			if err := json.Unmarshal([]byte(receive(t, nc)), &got); err != nil {
				t.Fatal(err)
			}
			if !matches(got, f.Want) {
				t.Errorf("got %v, want %v", got, f.Want)
			}
		})
	}
}

// matches reports whether got has all that want has; "*" is anything.
func matches(got, want any) bool {
	members, isObject := want.(map[string]any)
	if !isObject {
		return want == nil || want == "*" || reflect.DeepEqual(got, want)
	}
	have, _ := got.(map[string]any)
	for name, value := range members {
		if v, ok := have[name]; !ok || !matches(v, value) {
			return false
		}
	}
	return true
}

func TestWhatCannotBeReadIsAnsweredAndCloses(t *testing.T) {
	path, server, events := serve(t, nil)
	for _, body := range []string{
		``, `x`, `[]`, `null`, `"ping"`, `{}`, `{"type":7}`, `{"type":"pong"}`, `{"type":"ping"`, `{"type":"ping"}}`, `{"type":"ping"} {}`,
		`{"type":"ping","type":"ping"}`, "{\"type\":\"ping\",\"x\":\"\xff\"}", `{"TYPE":"ping"}`,
		`{"type":"tool_schema"}`, `{"type":"tool_schema","tool_id":null}`,
		`{"type":"run_tool","tool_id":"x","args":{}}`, `{"type":"run_tool","tool_id":"x","dry_run":false}`,
		`{"type":"run_tool","tool_id":"x","args":{},"dry_run":null}`, `{"type":"run_tool","args":{},"dry_run":true}`,
		`{"type":"run_tool","tool_id":"x","tool_id":"y","args":{},"dry_run":true}`,
		`{"type":"run_tool_continue","tool_id":"x"}`, `{"type":"run_tool_continue","cursor":"x"}`,
		`{"type":"hello","client_id":7}`, `{"type":"hello","requested_capabilities":null}`, `{"type":"hello","requested_capabilities":[null]}`,
		`{"type":"hello","ucan_tokens":null}`, `{"type":"hello","ucan_tokens":"x"}`,
		`{"type":"run_tool","tool_id":"x","dry_run":false,"args":` + strings.Repeat("[", 1<<20) + `}`,
	} {
		nc := dial(t, path)
		send(t, nc, body)
		if got := receive(t, nc); !strings.HasPrefix(got, `{"type":"error","message":"the request cannot be read: `) || !strings.HasSuffix(got, `,"code":400,"retryable":false}`) {
			t.Errorf("%.60s: %s", body, got)
		}
		closed(t, nc)
	}
	if got := server.Snapshot(); got.Errors["400"] == 0 || got.Requests != 0 {
		t.Errorf("%+v", got)
	}
	if n := len(events.Events()); n > 0 {
		t.Errorf("%d events of no call", n)
	}
}

func TestFramesThatDoNotArrive(t *testing.T) {
	path, _, _ := serve(t, &ServerOptions{HelloTimeout: 100 * time.Millisecond, FrameTimeout: 300 * time.Millisecond})
	t.Run("too long", func(t *testing.T) {
		nc := dial(t, path)
		_, _ = nc.Write(binary.BigEndian.AppendUint32(nil, MaxFrame+1))
		if got := receive(t, nc); !strings.Contains(got, "10485761 bytes, more than 10485760") {
			t.Error(got)
		}
		closed(t, nc)
	})
	t.Run("truncated", func(t *testing.T) {
		nc := dial(t, path)
		_, _ = nc.Write([]byte("\x00\x00\x00\x0f{\"type\""))
		_ = nc.(*net.UnixConn).CloseWrite()
		if got := receive(t, nc); !strings.Contains(got, "unexpected EOF") {
			t.Error(got)
		}
		closed(t, nc)
	})
	t.Run("drop by drop", func(t *testing.T) {
		nc := dial(t, path)
		start := time.Now()
		for _, b := range []byte("\x00\x00\x00\x0f{\"type\":\"ping\"") {
			if _, err := nc.Write([]byte{b}); err != nil {
				break
			}
			time.Sleep(15 * time.Millisecond)
		}
		if got := receive(t, nc); !strings.Contains(got, "took too long") {
			t.Error(got)
		}
		closed(t, nc)
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("after %v", d)
		}
	})
	t.Run("idle before hello", func(t *testing.T) {
		nc := dial(t, path)
		start := time.Now()
		closed(t, nc)
		if d := time.Since(start); d < 80*time.Millisecond || d > 280*time.Millisecond {
			t.Errorf("closed after %v, want 100 ms", d)
		}
	})
	t.Run("idle after hello", func(t *testing.T) {
		nc := dial(t, path)
		send(t, nc, `{"type":"hello"}`)
		receive(t, nc)
		start := time.Now()
		closed(t, nc)
		if d := time.Since(start); d < 250*time.Millisecond {
			t.Errorf("closed after %v, want 300 ms", d)
		}
	})
}

// TestSentAhead sends requests without waiting, and ends its own direction.
func TestSentAhead(t *testing.T) {
	path, _, events := serve(t, nil)
	nc := dial(t, path)
	for _, n := range []string{"1", "2", "3"} {
		send(t, nc, `{"x":[1],"dry_run":false,"args":{"n":`+n+`},"tool_id":"ref:echo.say","type":"run_tool"}`)
	}
	_ = nc.(*net.UnixConn).CloseWrite()
	for _, n := range []string{"1", "2", "3"} {
		if got, want := receive(t, nc), `{"type":"tool_result","tool_id":"ref:echo.say","result":{"echoed":{"n":`+n+`}},"success":true,"dry_run":false}`; got != want {
			t.Errorf("got %s", got)
		}
	}
	closed(t, nc)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	session := events.Events()[0].SessionID
	for _, ev := range events.Events() {
		if ev.SessionID != session || ev.Transport.String() != "uds" || runtime.GOOS == "linux" && ev.Principal != "os:"+me.Username {
			t.Errorf("%+v", ev)
		}
	}
}

// waiting is a tool that waits for its context.
func waiting(begun chan<- struct{}) dispatch.Tool {
	return dispatch.Func(dispatch.Definition{ID: "wait"}, func(ctx context.Context, _ *dispatch.Call, _ any) (any, error) {
		begun <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	})
}

const callWait = `{"type":"run_tool","tool_id":"wait","args":null,"dry_run":false}`

func TestClientThatLeaves(t *testing.T) {
	begun := make(chan struct{}, 1)
	path, _, events := serve(t, nil, waiting(begun))
	nc := dial(t, path)
	send(t, nc, callWait)
	<-begun
	nc.Close()
	for range 200 {
		if all := events.Events(); len(all) > 0 {
			if o := all[0].Outcome; o.Code != "CLIENT_GONE" || all[0].DecidedBy.String() != "client" {
				t.Errorf("%+v", all[0])
			}
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("nothing was recorded")
}

func TestShutdown(t *testing.T) {
	t.Run("waits for calls", func(t *testing.T) {
		release, begun := make(chan struct{}), make(chan struct{})
		path, server, _ := serve(t, nil, dispatch.Func(dispatch.Definition{ID: "wait"}, func(context.Context, *dispatch.Call, any) (any, error) {
			close(begun)
			<-release
			return "done", nil
		}))
		idle, nc := dial(t, path), dial(t, path)
		send(t, idle, `{"type":"ping"}`)
		receive(t, idle)
		send(t, nc, callWait)
		<-begun
		down := make(chan error, 1)
		go func() { down <- server.Shutdown(context.Background()) }()
		closed(t, idle)
		close(release)
		if got := receive(t, nc); !strings.Contains(got, `"result":"done"`) {
			t.Error(got)
		}
		closed(t, nc)
		if err := <-down; err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(path); err == nil {
			t.Error("the socket is still there")
		}
	})
	t.Run("loses patience", func(t *testing.T) {
		begun := make(chan struct{}, 1)
		path, server, events := serve(t, nil, waiting(begun))
		nc := dial(t, path)
		send(t, nc, callWait)
		<-begun
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		if err := server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if got := receive(t, nc); !strings.Contains(got, `"CANCELLED"`) {
			t.Error(got)
		}
		if o := events.Events()[0].Outcome; o.Code != "CANCELLED" {
			t.Errorf("%+v", o)
		}
	})
}

func TestTooManyConnections(t *testing.T) {
	path, server, _ := serve(t, &ServerOptions{MaxConns: 1})
	first := dial(t, path)
	send(t, first, `{"type":"ping"}`)
	receive(t, first)
	second := dial(t, path)
	if got := receive(t, second); got != `{"type":"error","message":"too many connections","code":503,"retryable":true}` {
		t.Error(got)
	}
	closed(t, second)
	if m := server.Snapshot(); m.Connections != 2 || m.TurnedAway != 1 || m.Open != 1 {
		t.Errorf("%+v", m)
	}
}

// TestHugeIDs sends ids that fill a frame; the answer has to fit one.
func TestHugeIDs(t *testing.T) {
	path, _, events := serve(t, nil)
	id := strings.Repeat(`\u0001`, 800<<10)
	for _, dry := range []string{"true", "false"} {
		nc := dial(t, path)
		frame, err := AppendFrame(nil, []byte(`{"type":"run_tool","tool_id":"`+id+`","args":{},"dry_run":`+dry+`}`))
		if err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = nc.Write(frame) }()
		if got := receive(t, nc); len(got) > MaxFrame || !strings.Contains(got, `"type"`) {
			t.Errorf("an answer of %d bytes", len(got))
		}
	}
	for _, ev := range events.Events() {
		if line := ev.AppendJSON(nil); len(line) > 65534 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
}

func TestPagesOverTheWire(t *testing.T) {
	path, _, _ := serve(t, nil, endless{})
	c, err := Dial(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	n := 0
	for page, err := range c.Pages(context.Background(), &dispatch.RunTool{ToolID: "endless"}) {
		if err != nil {
			if n != MaxPages || !strings.Contains(err.Error(), "more than 100 pages") {
				t.Errorf("after %d pages: %v", n, err)
			}
			break
		}
		if n++; string(page.Result) != "1" || n > MaxPages {
			t.Fatalf("page %d: %s", n, page.Result)
		}
	}
}

// endless has a further page after each.
type endless struct{}

func (endless) Definition() *dispatch.Definition { return &dispatch.Definition{ID: "endless"} }

func (endless) Call(context.Context, *dispatch.Call) (any, error) { return 1, nil }

func (endless) Page(context.Context, *dispatch.Call) (any, []byte, error) { return 1, []byte("s"), nil }
