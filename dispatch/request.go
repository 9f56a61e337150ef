package dispatch

import "encoding/json"

// A Request is what a caller asks of a Dispatcher: one of Ping, Hello,
// ToolList, ToolSchema, *RunTool and *RunToolContinue.
type Request interface{ request() }

// Ping asks for a Pong.
type Ping struct{}

// Hello says who calls, and asks for capabilities. It replaces what an earlier
// one said.
type Hello struct {
	ClientID              string // "" is nobody
	RequestedCapabilities []string
	UCANTokens            []string
}

// ToolList asks for the tools that are not hidden.
type ToolList struct{}

// ToolSchema asks for a tool's definition.
type ToolSchema struct{ ToolID string }

// RunTool asks for a call.
type RunTool struct {
	ToolID string
	Args   json.RawMessage // valid JSON; the dispatcher reads and never changes it
	DryRun bool
}

// RunToolContinue asks for the next page of a call.
type RunToolContinue struct {
	ToolID string
	Cursor string
	// Args may repeat the arguments of the first page. The tool then gets them
	// again; others than those of the first page are refused. nil leaves them
	// out.
	Args json.RawMessage
}

func (Ping) request()             {}
func (Hello) request()            {}
func (ToolList) request()         {}
func (ToolSchema) request()       {}
func (*RunTool) request()         {}
func (*RunToolContinue) request() {}
