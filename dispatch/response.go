package dispatch

import (
	"encoding/json"
	"fmt"
)

// A Response answers a Request: one of Pong, *HelloAck, Tools, Schema,
// *ToolResult and *Error.
type Response interface{ response() }

// Pong answers Ping.
type Pong struct{}

// HelloAck answers Hello.
type HelloAck struct {
	GrantedCapabilities []string // sorted, never nil
	ServerVersion       string
	SupportedTiers      []Tier
}

// Tools answers ToolList, sorted by id.
type Tools struct{ Tools []Summary }

// Schema answers ToolSchema. The definition is shared; treat it as read-only.
type Schema struct{ Schema *Definition }

// A ToolResult answers a call that reached the tool, or a dry run.
type ToolResult struct {
	ToolID     string
	Result     json.RawMessage // the tool's own value; {"code","message","retryable"} where Success is false
	Success    bool
	DryRun     bool
	NextCursor string // asks for the next page; "" where there is none
}

// An Error answers a request that was refused. It is also a Go error.
type Error struct {
	Message   string
	Code      Code // 0 is none
	Retryable bool
	Details   json.RawMessage // nil is none
}

// Error returns the message.
func (e *Error) Error() string {
	if e.Code == 0 {
		return e.Message
	}
	return fmt.Sprintf("%s (code %d)", e.Message, e.Code)
}

func (Pong) response()        {}
func (*HelloAck) response()   {}
func (Tools) response()       {}
func (Schema) response()      {}
func (*ToolResult) response() {}
func (*Error) response()      {}

// A Code is the number of an Error, as ATD assigns them.
type Code uint16

// The codes.
const (
	CodeMalformed     Code = 400  // the request could not be read; ATD's document has it, its code does not
	CodeUnavailable   Code = 503  // too many connections, or the server ends; ours
	CodeDenied        Code = 1001 // a required capability is not granted
	CodeRateLimited   Code = 1002 // too many calls at once
	CodeBroker        Code = 1003 // the token broker failed
	CodeTokenInvalid  Code = 1010 // a capability token does not hold
	CodeTokenExpired  Code = 1011 // a capability token has expired
	CodeTooDeep       Code = 1012 // a chain of tokens is too long
	CodeAudience      Code = 1013 // a token is for somebody else
	CodeCursorExpired Code = 1020 // a cursor has expired, or is from another session
	CodeCursorInvalid Code = 1021 // a cursor does not hold
	CodeUnhandled     Code = 1999 // a tool ended with an error of no known kind
)
