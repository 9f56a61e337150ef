package demo

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// An agent is an MCP client that calls one tool after the other.
type agent struct {
	to      io.Writer
	replies *bufio.Scanner
	next    int
}

// script are the agent's calls to the server. The last one ends it.
var script = []struct {
	tool string
	args map[string]any
}{
	{"get_weather", map[string]any{"city": "Lisbon"}},
	{"get_weather", map[string]any{"city": "Oslo"}},
	{"get_weather", map[string]any{"town": "Lisbon"}},
	{"read_file", map[string]any{"path": "/etc/shadow"}},
	{"send_email", map[string]any{"to": "you@example.com"}},
	{"convert_units", map[string]any{"unit": "smoots"}},
}

// run makes the calls and returns once each has its reply, or the server is
// gone.
func (a *agent) run() error {
	err := a.request("initialize", map[string]any{
		"protocolVersion": "2025-11-25",
		"capabilities":    map[string]any{},
		"clientInfo":      map[string]any{"name": "demo-agent", "version": "1"},
	})
	if err == nil {
		err = a.request("tools/list", map[string]any{})
	}
	for i, c := range script {
		if err != nil {
			return err
		}
		err = a.request("tools/call", map[string]any{"name": c.tool, "arguments": c.args})
		if i == len(script)-1 && errors.Is(err, errServerGone) {
			return nil // the last call's doing
		}
	}
	return err
}

// errServerGone says that the server's output ended before a reply.
var errServerGone = errors.New("the server ended before it answered")

// request sends a request and waits for the reply. errServerGone means that
// there will be none.
func (a *agent) request(method string, params any) error {
	a.next++
	line, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": a.next, "method": method, "params": params})
	if err != nil {
		return err
	}
	if _, err := a.to.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("demo: %s: %w", method, err)
	}
	if !a.replies.Scan() {
		if err := a.replies.Err(); err != nil {
			return fmt.Errorf("demo: reply to %s: %w", method, err)
		}
		return fmt.Errorf("demo: %s: %w", method, errServerGone)
	}
	return nil
}
