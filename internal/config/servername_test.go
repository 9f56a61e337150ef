package config

import (
	"strings"
	"testing"
)

func TestServerName(t *testing.T) {
	for command, want := range map[string]string{
		"npx -y @modelcontextprotocol/server-filesystem@2026.8.31 /data": "server-filesystem",
		"npx @modelcontextprotocol/server-memory":                        "server-memory",
		"npx.cmd -y weather-mcp":                                         "weather-mcp",
		"node /srv/weather/dist/index.js stdio":                          "weather",
		"uvx mcp-server-git --repository .":                              "mcp-server-git",
		"uv tool run mcp-server-git":                                     "mcp-server-git",
		"python3 -m mcp_server_time":                                     "mcp_server_time",
		"env KEY=secret /opt/github-mcp stdio":                           "github-mcp",
		"/usr/local/bin/github-mcp --stdio":                              "github-mcp",
		"go run ./cmd/echo":                                              "echo",
		"node":                                                           "node",
		"npx -y":                                                         "npx",
		"":                                                               "server",
		"/":                                                              "server",
		"index.js":                                                       "server",
	} {
		if have := ServerName(strings.Fields(command)); have != want {
			t.Errorf("%q: %s, want %s", command, have, want)
		}
	}
}
