package main

import (
	"context"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/tooltrail/tooltrail/audit/audittest"
)

// TestSameToolsOverMCP calls each tool by the SDK's client.
func TestSameToolsOverMCP(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	events := &audittest.Memory{}
	server, err := newServer(events)
	if err != nil {
		t.Fatal(err)
	}
	here, there := mcp.NewInMemoryTransports()
	serving, err := server.Connect(ctx, there, nil)
	if err != nil {
		t.Fatal(err)
	}
	client, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(ctx, here, nil)
	if err != nil {
		t.Fatal(err)
	}
	if list, err := client.ListTools(ctx, nil); err != nil || len(list.Tools) != 3 {
		t.Fatalf("%+v: %v", list, err)
	}
	if all := events.Events(); len(all) > 0 {
		t.Errorf("events of a list: %+v", all)
	}
	for _, c := range []struct {
		tool     string
		args     map[string]any
		text     string
		failed   bool
		recorded string
	}{
		{"my_greet", map[string]any{"name": "Ada"}, `"Hello, Ada"`, false, "success"},
		{"my_greet", map[string]any{}, "invalid args for my:greet: /: lacks name", true, "invalid_args"},
		{"my_nap", nil, `{"code":"TIMEOUT","message":"no result within 500ms","retryable":true}`, true, "execution_failed"},
		{"my_forget", nil, `capability denied for my:forget: missing ["forget"]`, true, "capability_denied"},
	} {
		events.Reset()
		r, err := client.CallTool(ctx, &mcp.CallToolParams{Name: c.tool, Arguments: c.args})
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Content[0].(*mcp.TextContent).Text; got != c.text || r.IsError != c.failed {
			t.Errorf("%s answered %s, an error: %v", c.tool, got, r.IsError)
		}
		if ev := events.One(t); ev.Outcome.Kind.String() != c.recorded || ev.Server != "mytools" {
			t.Errorf("%s recorded %+v", c.tool, ev.Outcome)
		}
	}
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	_ = serving.Wait()
}
