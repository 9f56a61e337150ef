package stdio

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A stream is a reader and writer that somebody else decides on.
type stream struct {
	read, write func(p []byte) (int, error)
}

func (s stream) Read(p []byte) (int, error)  { return s.read(p) }
func (s stream) Write(p []byte) (int, error) { return s.write(p) }

// A piece that the observer sees keeps the gate open until it is passed on.
func TestGateWaitsForWhatIsInHand(t *testing.T) {
	var passed strings.Builder
	g := &gate{client: strings.NewReader("one"), server: &passed}
	piece := make([]byte, 8)
	n, err := g.Read(piece)
	if err != nil {
		t.Fatal(err)
	}
	if g.inHand.TryLock() {
		t.Fatal("the gate can be shut while the observer looks at a piece")
	}
	if _, err := g.Write(piece[:n]); err != nil || passed.String() != "one" {
		t.Errorf("passed on %q, %v", passed.String(), err)
	}
	g.shut()
}

// What comes when the gate is shut is not seen, and the server that does not
// take what was passed on before cannot hold the gate open.
func TestGateLetsNothingThroughOnceItIsShut(t *testing.T) {
	stuck, client := make(chan struct{}), strings.NewReader("onetwo")
	g := &gate{client: client, server: stream{write: func(p []byte) (int, error) { <-stuck; return len(p), nil }}}
	if _, err := io.ReadFull(g, make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { _, _ = g.Write([]byte("one")); close(done) }()
	g.shut() // does not wait for the server
	if n, err := g.Read(make([]byte, 3)); n != 0 || err != io.EOF {
		t.Errorf("read %d bytes, %v", n, err)
	}
	close(stuck)
	<-done
}

func TestGateTellsWhoIsGone(t *testing.T) {
	broken := errors.New("broken")
	g := &gate{client: stream{read: func([]byte) (int, error) { return 0, broken }}}
	if _, err := g.Read(make([]byte, 1)); !errors.Is(err, broken) || g.refused {
		t.Errorf("a client that is gone: %v, refused: %v", err, g.refused)
	}
	g = &gate{client: strings.NewReader("x"), server: stream{write: func([]byte) (int, error) { return 0, broken }}}
	_, _ = g.Read(make([]byte, 1))
	if _, err := g.Write([]byte("x")); !errors.Is(err, broken) || !g.refused {
		t.Errorf("a server that is gone: %v, refused: %v", err, g.refused)
	}
}

func TestMeterShowsAWriteThatIsUnderWay(t *testing.T) {
	m := &meter{}
	m.client = stream{write: func(p []byte) (int, error) {
		if !writing(m.turns.Load()) {
			t.Error("no write is under way")
		}
		return len(p), nil
	}}
	for range 3 {
		before := m.turns.Load()
		if n, err := m.Write([]byte("abc")); n != 3 || err != nil || m.refused {
			t.Fatal(n, err, m.refused)
		}
		if after := m.turns.Load(); writing(after) || after == before {
			t.Errorf("%d turns before the write, %d after", before, after)
		}
	}
}

// slow is how long a client takes to read a piece.
const slow = time.Hour - lastWords/2

// drained says how long an output is waited for whose client does as told.
func drained(t *testing.T, client func(s *session)) (took time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		s := &session{stopped: make(chan struct{}), carried: make(chan struct{}), replies: &meter{}}
		s.replies.client = stream{write: func(p []byte) (int, error) { time.Sleep(slow); return len(p), nil }}
		go client(s)
		synctest.Wait()
		begin := time.Now()
		s.drain()
		took = time.Since(begin)
		time.Sleep(2 * slow) // nothing outlives a bubble
	})
	return took
}

func TestDrain(t *testing.T) {
	for name, c := range map[string]struct {
		client func(s *session)
		want   time.Duration
	}{
		"nothing moves": {func(*session) {}, lastWords},
		"all was carried": {func(s *session) {
			time.Sleep(time.Millisecond)
			close(s.carried)
		}, time.Millisecond},
		"the client is slow": {func(s *session) {
			_, _ = s.replies.Write([]byte("a"))
			close(s.carried)
		}, slow},
		"the client is slow, and the output is held": {func(s *session) {
			_, _ = s.replies.Write([]byte("a"))
		}, time.Hour + lastWords},
		"we are told to stop": {func(s *session) {
			go func() { _, _ = s.replies.Write([]byte("a")) }()
			time.Sleep(time.Minute)
			close(s.stopped)
		}, time.Minute + stopLimit},
		"we were told to stop before": {func(s *session) {
			close(s.stopped)
			_, _ = s.replies.Write([]byte("a"))
		}, stopLimit},
	} {
		t.Run(name, func(t *testing.T) {
			if took := drained(t, c.client); took < c.want-lastWords/8 || took > c.want+lastWords/8 {
				t.Errorf("waited %v, want %v", took, c.want)
			}
		})
	}
}
