package atd

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tooltrail/tooltrail/dispatch"
)

// Defaults of ServerOptions.
const (
	DefaultHelloTimeout = 5 * time.Second
	DefaultFrameTimeout = 30 * time.Second
	DefaultMaxConns     = 1024
)

// ServerOptions configure a Server. The zero value is the documented default.
type ServerOptions struct {
	// HelloTimeout is how long a client may take for each frame, waiting
	// included, until its first hello has come. 0 means DefaultHelloTimeout.
	HelloTimeout time.Duration
	// FrameTimeout is the same after that. 0 means DefaultFrameTimeout.
	FrameTimeout time.Duration
	// MaxConns is how many connections are served at once; further ones are
	// told code 503. 0 means DefaultMaxConns.
	MaxConns int
	// Logger hears of requests that cannot be read. nil means nobody does.
	Logger *slog.Logger
}

// A Server serves a dispatcher's tools to the clients of a listener. Its
// methods are safe for concurrent use.
type Server struct {
	dispatcher *dispatch.Dispatcher
	opts       ServerOptions

	calls       context.Context // of every call; ends when a shutdown loses patience
	cancelCalls context.CancelFunc
	accepted    atomic.Uint64
	malformed   atomic.Uint64
	turnedAway  atomic.Uint64

	mu        sync.Mutex
	listeners map[net.Listener]struct{} // guarded by mu
	conns     map[*conn]struct{}        // guarded by mu
	draining  bool                      // guarded by mu
	serving   sync.WaitGroup            // of connections
}

// NewServer returns a server. o may be nil.
func NewServer(d *dispatch.Dispatcher, o *ServerOptions) *Server {
	s := &Server{dispatcher: d, listeners: map[net.Listener]struct{}{}, conns: map[*conn]struct{}{}}
	if o != nil {
		s.opts = *o
	}
	s.opts.HelloTimeout = orDuration(s.opts.HelloTimeout, DefaultHelloTimeout)
	s.opts.FrameTimeout = orDuration(s.opts.FrameTimeout, DefaultFrameTimeout)
	if s.opts.MaxConns == 0 {
		s.opts.MaxConns = DefaultMaxConns
	}
	if s.opts.Logger == nil {
		s.opts.Logger = slog.New(slog.DiscardHandler)
	}
	s.calls, s.cancelCalls = context.WithCancel(context.Background())
	return s
}

func orDuration(d, standard time.Duration) time.Duration {
	if d == 0 {
		return standard
	}
	return d
}

// ErrServerClosed is returned by Serve after Shutdown.
var ErrServerClosed = errors.New("atd: server closed")

// Serve accepts connections until Shutdown, and then returns ErrServerClosed.
// It closes the listener.
func (s *Server) Serve(l net.Listener) error {
	defer l.Close()
	if !s.track(l) {
		return ErrServerClosed
	}
	var pause time.Duration
	for {
		nc, err := l.Accept()
		switch {
		case err == nil:
			pause = 0
			s.take(nc)
		case s.isDraining():
			return ErrServerClosed
		case isPassing(err):
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			s.opts.Logger.Warn("atd: accept", "err", err, "again_in", pause)
			time.Sleep(pause)
		default:
			return err
		}
	}
}

func (s *Server) track(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.draining {
		s.listeners[l] = struct{}{}
	}
	return !s.draining
}

func (s *Server) isDraining() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draining
}

// take serves a connection, or turns it away.
func (s *Server) take(nc net.Conn) {
	s.accepted.Add(1)
	c := newConn(s, nc)
	s.mu.Lock()
	room := !s.draining && len(s.conns) < s.opts.MaxConns
	if room {
		s.conns[c] = struct{}{}
		s.serving.Add(1)
	}
	s.mu.Unlock()
	if !room {
		s.turnedAway.Add(1)
		c.turnAway()
		return
	}
	go func() {
		defer s.serving.Done()
		defer s.forget(c)
		c.serve()
	}()
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// Shutdown takes no more connections and no more requests, and waits for the
// calls that run. When ctx is done they are cancelled: each is answered and
// recorded as CANCELLED, and a second later the connections of clients that do
// not take their answers are cut. It returns when every connection is closed;
// the error is that of ctx, if it was done before that.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.draining = true
	for l := range s.listeners {
		_ = l.Close()
	}
	for c := range s.conns {
		c.drain()
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() { s.serving.Wait(); close(done) }()
	select {
	case <-done:
		s.cancelCalls()
		return nil
	case <-ctx.Done():
	}
	s.cancelCalls()
	select {
	case <-done:
	case <-time.After(time.Second):
		s.cut()
		<-done
	}
	return ctx.Err()
}

// cut closes every connection.
func (s *Server) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.nc.Close()
	}
}

// Metrics are a server's counts at one moment.
type Metrics struct {
	Connections uint64 `json:"accepted_connections"`
	TurnedAway  uint64 `json:"refused_connections"`
	Open        int    `json:"open_connections"`
	dispatch.Metrics
}

// Snapshot returns the counts. It may be called at any time, also while the
// server serves. Requests that could not be read count as errors with code 400.
func (s *Server) Snapshot() Metrics {
	m := Metrics{Connections: s.accepted.Load(), TurnedAway: s.turnedAway.Load(), Metrics: s.dispatcher.Snapshot()}
	if n := s.malformed.Load(); n > 0 {
		m.Errors["400"] += n
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m.Open = len(s.conns)
	return m
}
