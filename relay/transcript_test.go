package relay

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/audit"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// A recorder keeps the events that an observer sends.
type recorder struct {
	mu     sync.Mutex
	events []audit.CallEvent
}

func (r *recorder) OnCall(ev *audit.CallEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, *ev)
}

func (r *recorder) all() []audit.CallEvent {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]audit.CallEvent(nil), r.events...)
}

// A clock moves when it is told to.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// TestTranscripts plays each transcript of testdata and compares the events.
//
// In the part "wire", "> " begins a frame from the client and "< " one from
// the server; "+1ms" moves the clock; "close REASON" ends the connection;
// "expire" looks for calls without a reply; "limit N" bounds the calls in
// flight; "#" begins a comment. The files recorded-* are real traffic, written
// by internal/rig/record.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			head, wire, want := readTranscript(t, file)
			got := play(t, wire, (*Observer).playFrames)
			if pieces := play(t, wire, (*Observer).playPieces); pieces != got {
				t.Errorf("in pieces:\n%s\nin frames:\n%s", pieces, got)
			}
			if *update {
				text := head + wireMark + wire + eventsMark + got
				if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// The parts of a transcript, which is a txtar archive.
const wireMark, eventsMark = "-- wire --\n", "-- events --\n"

func readTranscript(t *testing.T, file string) (head, wire, events string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok1 := strings.Cut(string(text), wireMark)
	wire, events, ok2 := strings.Cut(rest, eventsMark)
	if !ok1 || !ok2 {
		t.Fatalf("%s lacks a part", file)
	}
	return head, wire, events
}

// A player shows a frame to an observer.
type player func(o *Observer, client, server *Tap, fromClient bool, frame []byte)

func (o *Observer) playFrames(_, _ *Tap, fromClient bool, frame []byte) {
	if fromClient {
		o.FromClient(frame)
	} else {
		o.FromServer(frame)
	}
}

// playPieces shows the frame as a stream in pieces of five bytes.
func (o *Observer) playPieces(client, server *Tap, fromClient bool, frame []byte) {
	tap := server
	if fromClient {
		tap = client
	}
	piece := make([]byte, 5)
	for rest := append(bytes.Clone(frame), '\n'); len(rest) > 0; {
		n := copy(piece, rest)
		tap.Observe(piece[:n])
		rest = rest[n:]
		copy(piece, "#####")
	}
}

var endReasons = map[string]EndReason{
	"client": EndClientGone, "server": EndServerExited, "unreachable": EndServerUnreachable, "stopped": EndStopped,
}

func play(t *testing.T, wire string, show player) string {
	t.Helper()
	var rec recorder
	clk := &clock{t: time.Date(2026, 7, 28, 12, 0, 0, 0, time.UTC)}
	o := New(&Options{
		Sink: &rec, Server: "backend", Transport: audit.TransportStdio, Principal: "uid:1000",
		Session: "S", Now: clk.now, MACKey: []byte("key"),
	})
	o.timeout = 10 * time.Second
	client, server := o.ClientTap(), o.ServerTap()
	var out strings.Builder
	seen := 0
	for line := range strings.Lines(wire) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "> "):
			show(o, client, server, true, []byte(line[2:]))
		case strings.HasPrefix(line, "< "):
			show(o, client, server, false, []byte(line[2:]))
		case strings.HasPrefix(line, "<half "):
			server.Observe([]byte(line[6:]))
			server.End()
		case strings.HasPrefix(line, "+"):
			d, err := time.ParseDuration(line[1:])
			if err != nil {
				t.Fatal(err)
			}
			clk.advance(d)
		case strings.HasPrefix(line, "close "):
			o.Close(endReasons[line[6:]])
		case strings.HasPrefix(line, "limit "):
			n, err := strconv.Atoi(line[6:])
			if err != nil {
				t.Fatal(err)
			}
			o.track.limit = n
		case line == "expire":
			o.expire()
		case line != "" && line[0] != '#':
			t.Fatalf("not a line of a transcript: %s", line)
		}
		for _, ev := range rec.all()[seen:] {
			seen++
			fmt.Fprintln(&out, show1(t, ev))
		}
	}
	if n := o.InFlight(); n > 0 {
		fmt.Fprintf(&out, "in flight: %d\n", n)
	}
	return out.String()
}

// show1 prints an event without what differs between runs or is always the
// same, and digests as their first eight digits.
func show1(t *testing.T, ev audit.CallEvent) string {
	t.Helper()
	if len(ev.CallID) != 26 || ev.Server != "backend" || ev.Principal != "uid:1000" || ev.SessionID != "S" || ev.Transport != audit.TransportStdio {
		t.Errorf("event %+v", ev)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(struct {
		Tool      string
		Caller    string             `json:",omitempty"`
		Client    string             `json:",omitempty"`
		Outcome   string             ``
		Code      string             `json:",omitempty"`
		Retryable bool               `json:",omitempty"`
		Message   string             `json:",omitempty"`
		By        string             ``
		ID        string             `json:",omitempty"`
		Duration  string             ``
		Args      int64              `json:",omitempty"`
		ArgsMAC   string             `json:",omitempty"`
		Result    int64              `json:",omitempty"`
		ResultMAC string             `json:",omitempty"`
		Trace     string             `json:",omitempty"`
		Span      string             `json:",omitempty"`
		Flags     []string           `json:",omitempty"`
		Truncated []audit.Truncation `json:",omitempty"`
	}{
		ev.ToolID, ev.CallerID, ev.Client, ev.Outcome.Kind.String(), ev.Outcome.Code, ev.Outcome.Retryable, ev.Outcome.Message,
		ev.DecidedBy.String(), ev.RequestID, ev.Duration.String(), ev.ArgsBytes, first8(ev.ArgsMAC), ev.ResultBytes,
		first8(ev.ResultMAC), ev.TraceID, ev.SpanID, ev.Flags, ev.Truncated,
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(b.String())
}

func first8(s string) string { return s[:min(len(s), 8)] }
