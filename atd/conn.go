package atd

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/dispatch"
)

// maxResult leaves room in a frame for what stands around a result: the
// longest id of a tool, escaped, and a cursor.
const maxResult = MaxFrame - 16<<10

// keepBuffer is how large a buffer may be to be kept for the next frame.
const keepBuffer = 64 << 10

// A conn is one client's connection. One goroutine serves it.
type conn struct {
	server  *Server
	nc      net.Conn
	in      *bufio.Reader
	session *dispatch.Session
	watcher watcher
	limit   time.Duration // for a frame to come, and for its answer to go
	frame   []byte        // of the last request, where nobody keeps it
	out     []byte

	mu       sync.Mutex
	busy     bool // a request is being answered; guarded by mu
	draining bool // no further request is read; guarded by mu
}

func newConn(s *Server, nc net.Conn) *conn {
	return &conn{server: s, nc: nc, watcher: watcher{nc: nc}, limit: s.opts.HelloTimeout}
}

// turnAway tells a client that there is no room for it.
func (c *conn) turnAway() {
	_ = c.nc.SetWriteDeadline(time.Now().Add(time.Second))
	_ = c.reply(&dispatch.Error{Code: dispatch.CodeUnavailable, Retryable: true, Message: "too many connections"})
	_ = c.nc.Close()
}

// serve answers requests until the client leaves, sends what cannot be read, or
// takes too long, or the server ends.
func (c *conn) serve() {
	defer c.nc.Close()
	c.in = bufio.NewReaderSize(c.nc, 4<<10)
	c.session = dispatch.NewSession(&dispatch.SessionOptions{
		Principal: peer(c.nc), Transport: audit.TransportUDS, MaxResult: maxResult,
	})
	for c.await() {
		body, err := ReadFrame(c.in, c.frame)
		if err != nil {
			c.refuseFrame(body, err)
			return
		}
		request, err := DecodeRequest(body)
		if err != nil {
			c.refuse(err)
			return
		}
		if !c.begin() {
			return
		}
		answered := c.answer(request, body)
		if !c.end() || !answered {
			return
		}
	}
}

// await gives the next frame its time. It is false when the server drains.
func (c *conn) await() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.draining {
		return false
	}
	return c.nc.SetReadDeadline(time.Now().Add(c.limit)) == nil
}

func (c *conn) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy = !c.draining
	return c.busy
}

func (c *conn) end() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy = false
	return !c.draining
}

// drain ends the connection once the request under way is answered.
func (c *conn) drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.draining = true
	if !c.busy {
		_ = c.nc.SetReadDeadline(time.Unix(1, 0))
	}
}

// answer handles a request and sends the reply.
func (c *conn) answer(r dispatch.Request, body []byte) bool {
	limit := c.limit
	ctx, stop := c.server.calls, func() {}
	c.frame = body
	switch r.(type) {
	case dispatch.Hello:
		c.limit = c.server.opts.FrameTimeout // the reply to the first one still has the shorter time
	case *dispatch.RunTool, *dispatch.RunToolContinue:
		c.frame = nil // a tool that runs on reads its arguments there
		ctx, stop = c.watched(ctx)
	}
	if cap(c.frame) > keepBuffer {
		c.frame = nil
	}
	reply := c.server.dispatcher.Handle(ctx, c.session, r)
	stop()
	_ = c.nc.SetWriteDeadline(time.Now().Add(limit))
	return c.reply(reply) == nil
}

// watched returns a context that ends when the client has left.
func (c *conn) watched(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	c.watcher.begin(cancel)
	return ctx, func() {
		c.watcher.end()
		cancel(nil)
	}
}

// reply sends one frame. One that is too large becomes an error: the peer would
// have to refuse it.
func (c *conn) reply(r dispatch.Response) error {
	out, err := AppendResponse(append(c.out[:0], 0, 0, 0, 0), r)
	if err != nil || len(out)-4 > MaxFrame {
		out, _ = AppendResponse(out[:4], &dispatch.Error{Message: "internal error: the reply cannot be sent"})
	}
	binary.BigEndian.PutUint32(out, uint32(len(out)-4))
	if c.out = nil; cap(out) <= keepBuffer {
		c.out = out
	}
	_, err = c.nc.Write(out)
	return err
}

// refuseFrame ends a connection on which no whole frame came. A client that is
// gone, or was idle for too long, is told nothing.
func (c *conn) refuseFrame(part []byte, err error) {
	var tooLong *FrameError
	switch {
	case errors.Is(err, io.EOF), c.isDraining():
	case errors.As(err, &tooLong), errors.Is(err, io.ErrUnexpectedEOF):
		c.refuse(err)
	case errors.Is(err, os.ErrDeadlineExceeded) && len(part) > 0:
		c.refuse(errors.New("the frame took too long"))
	}
}

func (c *conn) isDraining() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.draining
}

// refuse answers what cannot be read with an error, as ATD's document promises,
// and ends the connection. What the client still sends is read for a moment:
// to close with bytes unread would look like a reset, and may cost the client
// the answer.
func (c *conn) refuse(why error) {
	c.server.malformed.Add(1)
	c.server.opts.Logger.Warn("atd: a request cannot be read", "session", c.session.ID(), "err", why)
	_ = c.nc.SetDeadline(time.Now().Add(200 * time.Millisecond))
	if c.reply(&dispatch.Error{Code: dispatch.CodeMalformed, Message: why.Error()}) != nil {
		return
	}
	if w, ok := c.nc.(interface{ CloseWrite() error }); ok && w.CloseWrite() == nil {
		_, _ = io.CopyN(io.Discard, c.nc, 256<<10)
	}
}
