package dispatch

import "encoding/json"

// Middleware sees what a caller is about to be told, and may change it. It is
// called from many goroutines at once and must not keep or change its
// arguments. What it says of an error's text goes into the trail as well.
type Middleware interface {
	// OnResult returns the result to give, as JSON: a tool's value, or
	// {"code","message","retryable"} of a call that failed.
	OnResult(c *Call, result json.RawMessage) json.RawMessage
	// OnError returns the message and the details to give. details is nil
	// where there are none. It sees every refusal.
	OnError(c *Call, message string, details json.RawMessage) (string, json.RawMessage)
}

func (c *call) onResult(text json.RawMessage) json.RawMessage {
	for _, m := range c.d.opts.Middleware {
		text = m.OnResult(&c.Call, text)
	}
	if len(c.d.opts.Middleware) > 0 && !json.Valid(text) {
		c.d.opts.Logger.Error("dispatch: the middleware made something that is not JSON", "tool", clip(c.ToolID), "call_id", c.ID)
		return null
	}
	return text
}

func (c *call) onError(message string, details json.RawMessage) (string, json.RawMessage) {
	for _, m := range c.d.opts.Middleware {
		message, details = m.OnError(&c.Call, message, details)
	}
	return message, details
}
