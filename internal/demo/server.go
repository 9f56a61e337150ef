package demo

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// Serve is the demo's MCP server: newline-delimited JSON-RPC with three tools.
// It returns when in ends; the tool "convert_units" of a unit that nobody has
// heard of ends the process in the middle of the call.
func Serve(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var r request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil || r.ID == nil {
			continue // notifications have no answer
		}
		reply, err := json.Marshal(answer(&r))
		if err != nil {
			return err
		}
		if _, err := out.Write(append(reply, '\n')); err != nil {
			return err
		}
	}
	return lines.Err()
}

type request struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		Name      string         `json:"name"`
		Arguments map[string]any `json:"arguments"`
	} `json:"params"`
}

type response struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  any             `json:"result,omitempty"`
	Error   *rpcError       `json:"error,omitempty"`
}

type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func answer(r *request) response {
	reply := response{Version: "2.0", ID: r.ID}
	switch r.Method {
	case "initialize":
		reply.Result = map[string]any{
			"protocolVersion": "2025-11-25",
			"capabilities":    map[string]any{"tools": map[string]any{}},
			"serverInfo":      map[string]any{"name": "demo-server", "version": "1"},
		}
	case "tools/list":
		reply.Result = map[string]any{"tools": tools}
	case "tools/call":
		reply.Result, reply.Error = call(r.Params.Name, r.Params.Arguments)
	case "ping":
		reply.Result = map[string]any{}
	default:
		reply.Error = &rpcError{-32601, "method not found"}
	}
	return reply
}

type tool struct {
	Name        string         `json:"name"`
	Description string         `json:"description"`
	InputSchema map[string]any `json:"inputSchema"`
}

var tools = []tool{
	{"get_weather", "The weather of a city.", object("city", "string")},
	{"read_file", "A file of the demo's disk.", object("path", "string")},
	{"convert_units", "A quantity in another unit.", object("unit", "string")},
}

func object(field, kind string) map[string]any {
	return map[string]any{
		"type":       "object",
		"properties": map[string]any{field: map[string]any{"type": kind}},
		"required":   []string{field},
	}
}

func call(name string, args map[string]any) (any, *rpcError) {
	switch name {
	case "get_weather":
		city, ok := args["city"].(string)
		if !ok {
			return nil, &rpcError{-32602, "Invalid arguments: city must be a string"}
		}
		return content(fmt.Sprintf("%s: 21 °C, light wind", strings.ToUpper(city)), false), nil
	case "read_file":
		return content("EACCES: permission denied", true), nil
	case "convert_units":
		os.Exit(3)
	}
	return nil, &rpcError{-32602, "unknown tool " + name}
}

func content(text string, isError bool) map[string]any {
	return map[string]any{"content": []any{map[string]any{"type": "text", "text": text}}, "isError": isError}
}
