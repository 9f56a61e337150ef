package record

import (
	"encoding/json"
	"testing"

	"github.com/tooltrail/tooltrail/internal/rig"
)

// A step is what a client does next: list the tools, wait, or make a call and
// see how it ends. Times are in milliseconds.
type step struct {
	List     bool           `json:"list,omitempty"`
	Wait     int            `json:"wait,omitempty"`
	Call     string         `json:"call,omitempty"`
	Args     map[string]any `json:"args"`
	Params   map[string]any `json:"params,omitempty"`  // in place of Call and Args; TypeScript only
	Times    int            `json:"times,omitempty"`   // so many at once
	Timeout  int            `json:"timeout,omitempty"` // the client waits no longer
	Cancel   int            `json:"cancel,omitempty"`  // the client's user loses patience
	Progress bool           `json:"progress,omitempty"`
}

type args = map[string]any

// A session is one transcript. Its client is started with the server's
// command line.
type session struct {
	about  string
	client []string
	server []string
	after  []string // more arguments of the client
}

// peers are the programs of the sessions.
type peers struct {
	t   *testing.T
	ts  []string
	go_ string
	dir string // what the file server serves
}

// tsSession is a session of the TypeScript SDK's client.
func (p *peers) tsSession(about string, server []string, steps ...step) session {
	return session{about: about, client: append(p.ts[:2:2], p.json(steps)), server: server}
}

// goSession is a session of the Go SDK's client.
func (p *peers) goSession(about string, server []string, steps ...step) session {
	return session{about: about, client: []string{p.go_, p.json(steps)}, server: server}
}

// inspect is a session of the inspector.
func (p *peers) inspect(about string, server []string, tool string, args ...string) session {
	after := []string{"--method", "tools/call", "--tool-name", tool}
	for _, arg := range args {
		after = append(after, "--tool-arg", arg)
	}
	return session{about, rig.Inspector(p.t), server, after}
}

func (p *peers) json(steps []step) string {
	text, err := json.Marshal(steps)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}

// sessions returns what is on record, by name. A tool that a client gives up
// ends by itself soon after, so that the server can end.
func (p *peers) sessions() map[string]session {
	t := p.t
	outcomes := []step{
		{List: true},
		{Call: "echo", Args: args{"text": "hällo"}},
		{Call: "fail", Args: args{}},
		{Call: "echo", Args: args{"text": 7}},
		{Call: "echo", Args: args{}},
		{Call: "no-such-tool", Args: args{}},
		{Call: "slow", Args: args{"millis": 1000}, Timeout: 200},
		{Call: "slow", Args: args{"millis": 1000}, Cancel: 200},
		{Wait: 1500},
		{Call: "panic", Args: args{}},
		{Call: "exit", Args: args{}},
	}
	unlisted := append(outcomes[1:6:6], outcomes[9]) // and the server lives or panics
	return map[string]session{
		"ts-everything": p.tsSession("The TypeScript SDK 1.x and server-everything: outcomes without a list of tools.", rig.Everything(t),
			step{Call: "echo", Args: args{"message": "hällo \u2028"}},
			step{Call: "get-structured-content", Args: args{"location": "Chicago"}},
			step{Call: "get-sum", Args: args{"a": "one"}},
			step{Call: "no-such-tool", Args: args{}},
			step{Params: args{"name": 7}},
			step{Params: args{"name": "echo", "arguments": "text"}},
			step{Params: args{"name": "echo", "arguments": args{"message": "task"}, "task": args{"ttl": 1000}}},
			step{Call: "simulate-research-query", Args: args{"topic": "x"}},
			step{Wait: 700},
		),
		"ts-everything-asks": p.tsSession("The TypeScript SDK 1.x and server-everything: the server's requests have the ids of the client's calls.", rig.Everything(t),
			step{Call: "get-roots-list", Args: args{}},
			step{Call: "trigger-sampling-request", Args: args{"prompt": "hi", "maxTokens": 10}},
			step{Call: "trigger-elicitation-request", Args: args{}},
			step{Call: "echo", Args: args{"message": "hi"}},
			step{Wait: 700},
		),
		"ts-everything-slow": p.tsSession("The TypeScript SDK 1.x and server-everything: progress, a timeout and a cancel.", rig.Everything(t),
			step{Call: "trigger-long-running-operation", Args: args{"duration": 0.3, "steps": 3}, Progress: true},
			step{Call: "trigger-long-running-operation", Args: args{"duration": 1, "steps": 1}, Timeout: 200},
			step{Call: "trigger-long-running-operation", Args: args{"duration": 1, "steps": 1}, Cancel: 200, Progress: true},
			step{Wait: 1500},
			step{Call: "echo", Args: args{"message": "after"}},
		),
		"ts-everything-burst": p.tsSession("The TypeScript SDK 1.x and server-everything: calls at once.", rig.Everything(t),
			step{Call: "trigger-long-running-operation", Args: args{"duration": 0.2, "steps": 1}, Times: 4},
			step{Call: "echo", Args: args{"message": "hi"}, Times: 12},
			step{Wait: 700},
		),
		"go-everything": p.goSession("The Go SDK's client and server-everything: requests of both sides with the same ids.", rig.Everything(t),
			step{Wait: 1000}, // the server asks for roots a while after it was initialised
			step{Call: "echo", Args: args{"message": "hi"}},
			step{Call: "get-roots-list", Args: args{}},
			step{Call: "trigger-sampling-request", Args: args{"prompt": "hi", "maxTokens": 10}},
			step{Call: "trigger-elicitation-request", Args: args{}},
			step{Call: "trigger-long-running-operation", Args: args{"duration": 0.2, "steps": 2}, Progress: true},
			step{Call: "trigger-long-running-operation", Args: args{"duration": 1, "steps": 1}, Timeout: 200},
			step{Call: "get-sum", Args: args{"a": "one"}},
			step{Call: "no-such-tool", Args: args{}},
			step{Call: "echo"}, // arguments are null
		),
		"ts-filesystem": p.tsSession("The TypeScript SDK 1.x and server-filesystem: tools that fail.", rig.Filesystem(t, p.dir),
			step{Call: "read_text_file", Args: args{"path": p.dir + "/hello.txt"}},
			step{Call: "list_directory", Args: args{"path": p.dir}},
			step{Call: "read_text_file", Args: args{"path": p.dir + "/none.txt"}},
			step{Call: "read_text_file", Args: args{"path": "/etc/passwd"}},
			step{Call: "edit_file", Args: args{"path": p.dir + "/hello.txt", "edits": []args{{"oldText": "absent", "newText": "x"}}}},
			step{Call: "read_text_file", Args: args{}},
			step{Call: "read_text_file", Args: args{"path": p.dir + "/hello.txt", "head": 1, "tail": 1}},
			step{Call: "no-such-tool", Args: args{}},
		),
		"ts-memory": p.tsSession("The TypeScript SDK 1.x and server-memory.", rig.Memory(t),
			step{Call: "create_entities", Args: args{"entities": []args{{"name": "a", "entityType": "t", "observations": []string{"o"}}}}},
			step{Call: "add_observations", Args: args{"observations": []args{{"entityName": "nobody", "contents": []string{"x"}}}}},
			step{Call: "create_entities", Args: args{"entities": "a"}},
			step{Call: "read_graph", Args: args{}},
		),
		"inspector-everything": p.inspect("The inspector 0.15 and server-everything: it lists the tools before it calls one.", rig.Everything(t), "echo", "message=hi"),
		"inspector-memory":     p.inspect("The inspector 0.15 and server-memory.", rig.Memory(t), "search_nodes", "query=x"),
		"inspector-filesystem": p.inspect("The inspector 0.15 and server-filesystem: a path outside.", rig.Filesystem(t, p.dir), "read_text_file", "path=/etc/passwd"),
		"inspector-unknown":    p.inspect("The inspector 0.15 and a server on the Go SDK: an unknown tool.", rig.GoSDKServer(t), "no-such-tool"),
		"ts-server-2":          p.tsSession("The TypeScript SDK 1.x and a server on version 2.", rig.Server2(t), outcomes...),
		"ts-server-2-unlisted": p.tsSession("The TypeScript SDK 1.x and a server on version 2, without a list of tools.", rig.Server2(t), unlisted...),
		"ts-go-sdk":            p.tsSession("The TypeScript SDK 1.x and a server on the Go SDK.", rig.GoSDKServer(t), append(outcomes[:9:9], outcomes[10])...),
		"go-go-sdk":            p.goSession("The Go SDK on both sides.", rig.GoSDKServer(t), append(outcomes[:9:9], outcomes[9])...),
		"go-go-sdk-unlisted":   p.goSession("The Go SDK on both sides, without a list of tools.", rig.GoSDKServer(t), unlisted...),
		"ts-mcp-go":            p.tsSession("The TypeScript SDK 1.x and a server on mcp-go that leaves arguments to its tools.", rig.MCPGoServer(t), append(outcomes[:10:10], step{Call: "rpcfail", Args: args{}}, outcomes[10])...),
		"go-mcp-go-checking":   p.goSession("The Go SDK's client and a server on mcp-go that checks arguments.", append(rig.MCPGoServer(t), "-validate"), outcomes...),
		"go-mcp-go-unlisted":   p.goSession("The Go SDK's client and a server on mcp-go, without a list of tools.", rig.MCPGoServer(t), append(unlisted[:len(unlisted):len(unlisted)], step{Call: "rpcfail", Args: args{}})...),
		"go-pages": p.goSession("The Go SDK on both sides: pages, a list that changes, and a server that asks.", []string{p.go_, "serve"},
			step{List: true},
			step{Call: "grown", Args: args{}},
			step{Call: "ask", Args: args{}},
			step{Call: "need", Args: args{}},
			step{Call: "count", Args: args{}, Progress: true},
			step{Call: "grow", Args: args{}},
			step{Call: "grown", Args: args{}},
			step{Call: "grown", Args: args{"wrong": 1}},
			step{List: true},
			step{Call: "grown", Args: args{}},
			step{Call: "gone", Args: args{}},
			step{Call: "count", Args: args{}, Times: 8},
		),
		"ts-pages": p.tsSession("The TypeScript SDK 1.x and a server on the Go SDK: pages, and a server that asks.", []string{p.go_, "serve"},
			step{List: true},
			step{Call: "ask", Args: args{}},
			step{Call: "need", Args: args{}},
			step{Call: "count", Args: args{}, Progress: true},
			step{Call: "gone", Args: args{}},
		),
	}
}
