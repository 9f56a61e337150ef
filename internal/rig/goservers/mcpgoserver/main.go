// Command mcpgoserver is an MCP server on mcp-go, with a tool for each way in
// which a call can end. With -validate it checks arguments itself, which
// mcp-go leaves to tools by default.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"os"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

func main() {
	validate := flag.Bool("validate", false, "check arguments against the tools' schemas")
	flag.Parse()
	var opts []server.ServerOption
	if *validate {
		opts = append(opts, server.WithInputSchemaValidation())
	}
	s := server.NewMCPServer("mcpgoserver", "1.0.0", opts...)
	s.AddTool(mcp.NewTool("echo", mcp.WithString("text", mcp.Required())), echo)
	s.AddTool(mcp.NewTool("fail"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return mcp.NewToolResultError("failed as asked"), nil
	})
	s.AddTool(mcp.NewTool("rpcfail"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return nil, errors.New("failed as asked")
	})
	s.AddTool(mcp.NewTool("panic"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		panic("panicked as asked")
	})
	s.AddTool(mcp.NewTool("exit"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		os.Exit(3)
		return nil, nil
	})
	s.AddTool(mcp.NewTool("slow", mcp.WithNumber("millis", mcp.Required())), slow)
	if err := server.ServeStdio(s); err != nil {
		log.Print(err)
	}
}

func echo(_ context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	text, err := r.RequireString("text")
	if err != nil {
		return mcp.NewToolResultError(err.Error()), nil
	}
	return mcp.NewToolResultText(text), nil
}

func slow(ctx context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	select {
	case <-time.After(time.Duration(r.GetInt("millis", 0)) * time.Millisecond):
		return mcp.NewToolResultText("done"), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
