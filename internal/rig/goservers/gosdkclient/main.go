// Command gosdkclient starts an MCP server by its command line, makes the calls
// of one scenario with the official Go SDK, and prints one line of JSON for
// each. Run with and without a relay it must print the same.
//
//	gosdkclient CMD ARG…
//
// The server needs the tools of gosdkserver.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// A step is one line of the output.
type step struct {
	Step   string `json:"step"`
	Result any    `json:"result,omitempty"`
	Error  string `json:"error,omitempty"`
}

func show(name string, result any, err error) {
	s := step{Step: name, Result: result}
	if err != nil {
		s.Result, s.Error = nil, err.Error()
	}
	line, err := json.Marshal(s)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(line))
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client := mcp.NewClient(&mcp.Implementation{Name: "gosdkclient", Version: "1.0.0"}, nil)
	cmd := exec.Command(os.Args[1], os.Args[2:]...)
	cmd.Stderr = os.Stderr
	session, err := client.Connect(ctx, &mcp.CommandTransport{Command: cmd}, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	scenario(ctx, session)
}

func scenario(ctx context.Context, s *mcp.ClientSession) {
	tools, err := s.ListTools(ctx, nil)
	show("list", tools, err)
	call := func(ctx context.Context, tool string, args any) (*mcp.CallToolResult, error) {
		return s.CallTool(ctx, &mcp.CallToolParams{Name: tool, Arguments: args})
	}
	one := func(name, tool string, args any) {
		r, err := call(ctx, tool, args)
		show(name, r, err)
	}
	one("success", "echo", map[string]any{"text": "hällo\u2028"})
	one("large", "echo", map[string]any{"text": strings.Repeat("x", 1<<20)})
	one("tool error", "fail", map[string]any{})
	one("bad arguments", "echo", map[string]any{"text": 7})
	one("no arguments", "echo", map[string]any{})
	one("unknown tool", "nowhere", map[string]any{})

	short, stop := context.WithTimeout(ctx, 200*time.Millisecond)
	_, err = call(short, "slow", map[string]any{"millis": 20000})
	stop()
	show("cancelled", nil, err)

	var wg sync.WaitGroup
	texts := make([]string, 50)
	for i := range texts {
		wg.Go(func() {
			r, err := call(ctx, "echo", map[string]any{"text": fmt.Sprint(i)})
			if err != nil {
				texts[i] = err.Error()
				return
			}
			texts[i] = r.Content[0].(*mcp.TextContent).Text
		})
	}
	wg.Wait()
	show("parallel", texts, nil)
}
