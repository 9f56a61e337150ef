package reftools

import (
	"context"
	"encoding/json"

	"github.com/tooltrail/tooltrail/dispatch"
)

// echoFrame is what ATD counts for the result around the arguments.
const echoFrame = 16

// echo answers with its arguments.
func echo() dispatch.Tool {
	return echoTool{define(dispatch.Definition{
		ID: "ref:echo.say", Name: "Echo", Description: "Answers with its arguments.",
		Capability: dispatch.Capability{Domain: "echo", Actions: []string{"say"}, Tags: []string{"test", "framework"}},
		Resources:  dispatch.Resources{MaxConcurrent: 100},
	}, `{"type":"object"}`, `{"type":"object"}`)}
}

type echoTool struct{ def dispatch.Definition }

func (t echoTool) Definition() *dispatch.Definition { return &t.def }

func (t echoTool) Call(_ context.Context, c *dispatch.Call) (any, error) {
	if len(c.Args)+echoFrame > c.MaxOutput {
		return struct {
			Truncated      bool `json:"truncated"`
			OriginalBytes  int  `json:"original_bytes"`
			MaxOutputBytes int  `json:"max_output_bytes"`
		}{true, len(c.Args), c.MaxOutput}, nil
	}
	text := make(json.RawMessage, 0, len(c.Args)+echoFrame)
	text = append(text, `{"echoed":`...)
	text = append(text, c.Args...)
	return append(text, '}'), nil
}
