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

// What may be secret is not taken for a name.
func TestServerNameKeepsSecrets(t *testing.T) {
	for command, want := range map[string]string{
		"sh|-c|exec /opt/srv --token s3cret":                     "sh",
		"bash|-lc|node x.js --api-key sk-123":                    "bash",
		"bash|-euo|pipefail|/opt/weather.sh":                     "weather",
		"node|-e|s3cret":                                         "node",
		"node|--eval=s3cret|x":                                   "node",
		"node|--require|x.cjs|/srv/weather/build/index.js":       "weather",
		"python3.13|-uc|s3cret":                                  "python3.13",
		"python3|-W|ignore|-m|weather":                           "weather",
		"deno|eval|s3cret":                                       "deno",
		"deno|run|-A|npm:weather@1.2":                            "weather",
		"env|-S|KEY=s3cret cmd":                                  "env",
		"env|-u|KEY|KEY=s3cret|github-mcp":                       "github-mcp",
		"docker|run|-i|--rm|-e|KEY=s3cret|mcp/github":            "github",
		"docker|run|-i|--rm|-eKEY=s3cret|mcp/github":             "github",
		"docker|run|-it|--env|KEY|--name|n|ghcr.io/x/github:1.2": "github",
		"docker|run|-iv|/a:/b|-p|80:80|--mount|type=bind|--network=host|localhost:5000/x/files@sha256:00": "files",
		"podman|--log-level|debug|run|--unknown|s3cret|node|s3cret":                                       "node",
		"npx|--registry|https://u:s3cret@r.example|pkg":                                                   "pkg",
		"npx|-p|pkg|cmd":                              "cmd",
		"npx|-yp|pkg|cmd":                             "cmd",
		"npx|-c|cmd --token s3cret":                   "npx",
		"npx|git+https://u:s3cret@h/o/r.git":          "r",
		"npx|git+https://u:s3cret@h":                  "server",
		"uvx|--from|git+https://u:s3cret@h/o/r|srv":   "srv",
		"uvx|https://h/weather.py?token=s3cret/index": "uvx",
		"uv|--directory|/srv/x|run|server.py":         "x",
		"uv|run|--with|mcp|--directory=/srv/x|y.py":   "y",
		"npm|--prefix|/srv/x|run|start":               "x",
		"go|run|-tags|a,b|./cmd/echo":                 "echo",
		"cmd|/c|npx|-y|weather":                       "weather",
		"cmd|/c|npx weather --token s3cret":           "cmd",
		"/opt/srv --token a/s3cret":                   "srv",
		"/opt/srv=s3cret":                             "srv",
	} {
		if have := ServerName(strings.Split(command, "|")); have != want {
			t.Errorf("%q: %s, want %s", command, have, want)
		}
	}
}
