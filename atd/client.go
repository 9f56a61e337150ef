package atd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"sync"
	"time"

	"github.com/tooltrail/tooltrail/dispatch"
)

// Limits of Client.Pages; they are those of ATD's SDK.
const (
	MaxPages      = 100
	MaxPagesBytes = 32 << 20
)

// A Client asks an ATD server. It is safe for concurrent use; requests take
// turns, so calls that are to run side by side need a Client each.
//
// A method returns a *dispatch.Error where the server refuses. After any other
// error, also that of a ctx that ends, the connection is closed and the client
// of no more use.
type Client struct {
	mu  sync.Mutex
	nc  net.Conn
	in  *bufio.Reader
	out []byte
}

// Dial connects to the server at path.
func Dial(ctx context.Context, path string) (*Client, error) {
	var d net.Dialer
	nc, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("atd: %w", err)
	}
	return &Client{nc: nc, in: bufio.NewReader(nc)}, nil
}

// Close ends the connection.
func (c *Client) Close() error { return c.nc.Close() }

// Ping asks whether the server answers.
func (c *Client) Ping(ctx context.Context) error {
	_, err := ask[dispatch.Pong](ctx, c, dispatch.Ping{})
	return err
}

// Hello says who calls, and asks for capabilities.
func (c *Client) Hello(ctx context.Context, h dispatch.Hello) (*dispatch.HelloAck, error) {
	return ask[*dispatch.HelloAck](ctx, c, h)
}

// Tools returns the tools that are not hidden.
func (c *Client) Tools(ctx context.Context) ([]dispatch.Summary, error) {
	r, err := ask[dispatch.Tools](ctx, c, dispatch.ToolList{})
	return r.Tools, err
}

// Schema returns the definition of a tool.
func (c *Client) Schema(ctx context.Context, toolID string) (*dispatch.Definition, error) {
	r, err := ask[dispatch.Schema](ctx, c, dispatch.ToolSchema{ToolID: toolID})
	return r.Schema, err
}

// Run calls a tool. A tool that failed is no error: see Success of the result.
func (c *Client) Run(ctx context.Context, r *dispatch.RunTool) (*dispatch.ToolResult, error) {
	return ask[*dispatch.ToolResult](ctx, c, r)
}

// Continue asks for a further page.
func (c *Client) Continue(ctx context.Context, r *dispatch.RunToolContinue) (*dispatch.ToolResult, error) {
	return ask[*dispatch.ToolResult](ctx, c, r)
}

// Pages calls a tool and yields its pages, until there is no further one, one
// failed, or MaxPages or MaxPagesBytes are reached; that is an error.
func (c *Client) Pages(ctx context.Context, r *dispatch.RunTool) iter.Seq2[*dispatch.ToolResult, error] {
	return func(yield func(*dispatch.ToolResult, error) bool) {
		page, err := c.Run(ctx, r)
		size := 0
		for n := 1; ; n++ {
			if err == nil {
				size += len(page.Result)
			}
			if !yield(page, err) || err != nil || page.NextCursor == "" {
				return
			}
			if n == MaxPages || size > MaxPagesBytes {
				yield(nil, fmt.Errorf("atd: %s has more than %d pages or %d bytes", r.ToolID, MaxPages, MaxPagesBytes))
				return
			}
			page, err = c.Continue(ctx, &dispatch.RunToolContinue{ToolID: r.ToolID, Cursor: page.NextCursor})
		}
	}
}

// ask sends a request and reads an answer of one type.
func ask[R dispatch.Response](ctx context.Context, c *Client, q dispatch.Request) (R, error) {
	var none R
	reply, err := c.roundTrip(ctx, q)
	if err != nil {
		return none, err
	}
	switch r := reply.(type) {
	case R:
		return r, nil
	case *dispatch.Error:
		return none, r
	}
	return none, fmt.Errorf("atd: the server answered %T to %T", reply, q)
}

func (c *Client) roundTrip(ctx context.Context, q dispatch.Request) (reply dispatch.Response, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { _ = c.nc.SetDeadline(time.Unix(1, 0)) })
	defer func() {
		stop()
		if err != nil {
			err = errors.Join(ctx.Err(), err)
			_ = c.nc.Close()
		}
	}()
	body := AppendRequest(c.out[:0], q)
	frame, err := AppendFrame(nil, body)
	c.out = body
	if err != nil {
		return nil, fmt.Errorf("atd: %w", err)
	}
	if _, err := c.nc.Write(frame); err != nil && !isClosed(err) {
		return nil, fmt.Errorf("atd: %w", err)
	}
	// A server that refuses to read more may have said why.
	answer, err := ReadFrame(c.in, nil)
	if err != nil {
		return nil, fmt.Errorf("atd: read the answer: %w", err)
	}
	return DecodeResponse(answer)
}
