// Command mcpserver serves the three tools of examples/tools over MCP, by the
// official Go SDK, with the same dispatcher in between: the same checks, and
// one event for each call, which it appends to a file.
//
//	go -C examples/mcpserver run . /tmp/calls.jsonl
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/dispatch"
	"github.com/tooltrail/tooltrail/examples/tools/mytools"
)

func main() {
	sink, err := audit.OpenFile(os.Args[1], nil)
	if err != nil {
		log.Fatal(err)
	}
	defer sink.Close(context.Background())
	server, err := newServer(sink)
	if err != nil {
		log.Fatal(err)
	}
	if err := server.Run(context.Background(), &mcp.StdioTransport{}); err != nil {
		log.Print(err)
	}
}

// newServer returns an MCP server of the dispatcher's tools.
func newServer(sink audit.Sink) (*mcp.Server, error) {
	registry, err := mytools.Registry()
	if err != nil {
		return nil, err
	}
	d, err := dispatch.New(registry, &dispatch.Options{Sink: sink, Name: "mytools"})
	if err != nil {
		return nil, err
	}
	session := dispatch.NewSession(&dispatch.SessionOptions{Transport: audit.TransportStdio})
	tools := d.Handle(context.Background(), session, dispatch.ToolList{}).(dispatch.Tools).Tools
	server := mcp.NewServer(&mcp.Implementation{Name: "mytools", Version: "1"}, nil)
	taken := map[string]string{}
	for _, t := range tools {
		name := dispatch.Sanitize(t.ID)
		if other, ok := taken[name]; ok {
			return nil, fmt.Errorf("%s and %s are both %s in MCP", other, t.ID, name)
		}
		taken[name] = t.ID
		server.AddTool(&mcp.Tool{Name: name, Description: t.Description, InputSchema: objectSchema(t.InputSchema)}, handler(d, session, t.ID))
	}
	return server, nil
}

// objectSchema returns a schema as MCP wants it: of an object.
func objectSchema(schema json.RawMessage) json.RawMessage {
	if string(schema) == "true" {
		return json.RawMessage(`{"type":"object"}`)
	}
	return schema
}

// handler answers calls of one tool. The SDK knows neither its arguments nor
// its result: the dispatcher checks, calls and records.
func handler(d *dispatch.Dispatcher, s *dispatch.Session, toolID string) mcp.ToolHandler {
	return func(ctx context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		args := r.Params.Arguments
		if len(args) == 0 {
			args = json.RawMessage(`{}`)
		}
		switch reply := d.Handle(ctx, s, &dispatch.RunTool{ToolID: toolID, Args: args}).(type) {
		case *dispatch.ToolResult:
			return textResult(string(reply.Result), !reply.Success), nil
		case *dispatch.Error:
			return textResult(reply.Message, true), nil
		default:
			return nil, fmt.Errorf("the dispatcher answered %T", reply)
		}
	}
}

func textResult(text string, isError bool) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}, IsError: isError}
}
