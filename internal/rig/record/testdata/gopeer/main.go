// Command gopeer is both ends of a session on the official Go SDK.
//
//	gopeer STEPS CMD ARG…	starts a server and takes the steps of a session
//	gopeer serve		is a server that lists its tools in pages, reports
//				progress and asks its client things
//
// STEPS is a JSON array; see step in sessions_test.go.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type step struct {
	List     bool           `json:"list"`
	Call     string         `json:"call"`
	Args     map[string]any `json:"args"`
	Times    int            `json:"times"`
	Timeout  int            `json:"timeout"`
	Cancel   int            `json:"cancel"`
	Wait     int            `json:"wait"`
	Progress bool           `json:"progress"`
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var err error
	if os.Args[1] == "serve" {
		err = serve(ctx)
	} else {
		err = play(ctx, os.Args[1], os.Args[2:])
	}
	if err != nil {
		log.Fatal(err)
	}
}

func play(ctx context.Context, text string, server []string) error {
	var steps []step
	if err := json.Unmarshal([]byte(text), &steps); err != nil {
		return err
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "rig-go", Version: "1.0.0"}, &mcp.ClientOptions{
		CreateMessageHandler: func(context.Context, *mcp.CreateMessageRequest) (*mcp.CreateMessageResult, error) {
			return &mcp.CreateMessageResult{Model: "rig", Role: "assistant", Content: &mcp.TextContent{Text: "sampled"}}, nil
		},
		ElicitationHandler: func(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			return &mcp.ElicitResult{Action: "decline"}, nil
		},
	})
	client.AddRoots(&mcp.Root{URI: "file:///rig", Name: "rig"})
	cmd := exec.Command(server[0], server[1:]...)
	cmd.Stderr = os.Stderr
	session, err := client.Connect(ctx, &mcp.CommandTransport{Command: cmd}, nil)
	if err != nil {
		return err
	}
	defer session.Close()
	for _, s := range steps {
		s.take(ctx, session)
	}
	return nil
}

func (s step) take(ctx context.Context, session *mcp.ClientSession) {
	if s.Wait > 0 {
		time.Sleep(time.Duration(s.Wait) * time.Millisecond)
		return
	}
	if s.List {
		for range session.Tools(ctx, nil) {
		}
		return
	}
	var wg sync.WaitGroup
	for range max(s.Times, 1) {
		wg.Go(func() { s.send(ctx, session) })
	}
	wg.Wait()
}

// send makes one call; how it ends is on the wire.
func (s step) send(ctx context.Context, session *mcp.ClientSession) {
	if s.Timeout > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, time.Duration(s.Timeout)*time.Millisecond)
		defer stop()
	}
	if s.Cancel > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithCancel(ctx)
		defer stop()
		time.AfterFunc(time.Duration(s.Cancel)*time.Millisecond, stop)
	}
	params := &mcp.CallToolParams{Name: s.Call, Arguments: s.Args}
	if s.Progress {
		params.SetProgressToken("p1")
	}
	_, _ = session.CallTool(ctx, params)
}

type noArgs struct{}

func text(s string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: s}}}
}

// serve offers its tools two to a page.
func serve(ctx context.Context) error {
	s := mcp.NewServer(&mcp.Implementation{Name: "gopeer", Version: "1.0.0"}, &mcp.ServerOptions{PageSize: 2})
	add := func(name string, do func(ctx context.Context, req *mcp.CallToolRequest) error) {
		mcp.AddTool(s, &mcp.Tool{Name: name}, func(ctx context.Context, req *mcp.CallToolRequest, _ noArgs) (*mcp.CallToolResult, any, error) {
			if err := do(ctx, req); err != nil {
				return nil, nil, err
			}
			return text("done"), nil, nil
		})
	}
	add("ask", ask)
	add("count", count)
	add("grow", func(context.Context, *mcp.CallToolRequest) error {
		add("grown", func(context.Context, *mcp.CallToolRequest) error { return errors.New("not yet full-grown") })
		return nil
	})
	mcp.AddTool(s, &mcp.Tool{Name: "need"}, need)
	return s.Run(ctx, &mcp.StdioTransport{})
}

func ask(ctx context.Context, req *mcp.CallToolRequest) error {
	_, err1 := req.Session.ListRoots(ctx, nil)
	_, err2 := req.Session.CreateMessage(ctx, &mcp.CreateMessageParams{
		MaxTokens: 10, Messages: []*mcp.SamplingMessage{{Role: "user", Content: &mcp.TextContent{Text: "hi"}}},
	})
	_, err3 := req.Session.Elicit(ctx, &mcp.ElicitParams{Message: "sure?", RequestedSchema: map[string]any{
		"type": "object", "properties": map[string]any{"yes": map[string]any{"type": "boolean"}},
	}})
	for _, err := range []error{err1, err2, err3} {
		if err != nil {
			return fmt.Errorf("ask: %w", err)
		}
	}
	return nil
}

// need asks its client for roots as the revision 2026-07-28 has it: in its
// result, which the client answers by another call.
func need(_ context.Context, req *mcp.CallToolRequest, _ noArgs) (*mcp.CallToolResult, any, error) {
	if len(req.Params.InputResponses) == 0 {
		return &mcp.CallToolResult{
			InputRequests: mcp.InputRequestMap{"roots": &mcp.ListRootsParams{}}, RequestState: "first",
		}, nil, nil
	}
	return text("done"), nil, nil
}

func count(ctx context.Context, req *mcp.CallToolRequest) error {
	token := req.Params.GetProgressToken()
	for i := 1; token != nil && i <= 3; i++ {
		p := &mcp.ProgressNotificationParams{ProgressToken: token, Progress: float64(i), Total: 3}
		if err := req.Session.NotifyProgress(ctx, p); err != nil {
			return err
		}
	}
	return nil
}
