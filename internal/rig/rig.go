// Package rig gives tests the real MCP servers and clients that `make rig`
// installs into .rig/ at the root of the repository.
//
//	cmd := append([]string{bin, "run", "--"}, rig.Filesystem(t, dir)...)
//
// Every function returns the arguments that run a program, the program first.
// Where a part is missing or older than its source, the test is skipped with
// the command that helps, and under CI (CI=true) it fails.
package rig

import (
	"bytes"
	"embed"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

//go:embed npm/package-lock.json npm/*.mjs
var sources embed.FS

// help is what a developer can do about a missing part.
const help = "run `make rig`"

// Everything is the reference server with one of everything (TypeScript SDK 1).
func Everything(t testing.TB) []string { return node(t, "server-everything") }

// Filesystem is the file server for the files below dir (TypeScript SDK 1).
func Filesystem(t testing.TB, dir string) []string { return append(node(t, "server-filesystem"), dir) }

// Memory is the knowledge graph server (TypeScript SDK 1). It keeps its graph
// in the file named by the environment variable MEMORY_FILE_PATH.
func Memory(t testing.TB) []string { return node(t, "server-memory") }

// NpxFilesystem is the file server, started as clients start it: npx starts sh,
// which starts node. The command must run in [Dir].
func NpxFilesystem(t testing.TB, dir string) []string {
	Filesystem(t, dir)
	return []string{lookPath(t, "npx"), "--no-install", "mcp-server-filesystem", dir}
}

// NpxEverything is the server with one of everything, by npx; see
// [NpxFilesystem].
func NpxEverything(t testing.TB) []string {
	Everything(t)
	return []string{lookPath(t, "npx"), "--no-install", "mcp-server-everything"}
}

// Server2 is a server on version 2 of the TypeScript SDK. Its tools are echo,
// fail, panic, exit and slow.
func Server2(t testing.TB) []string { return script(t, "server2.mjs") }

// GoSDKServer is a server on the official Go SDK. Its tools are echo, fail,
// panic, exit and slow.
func GoSDKServer(t testing.TB) []string { return []string{binary(t, "gosdkserver")} }

// MCPGoServer is a server on mcp-go. Its tools are echo, fail, rpcfail, panic,
// exit and slow. The flag -validate makes it check arguments.
func MCPGoServer(t testing.TB) []string { return []string{binary(t, "mcpgoserver")} }

// Inspector is the MCP inspector's command-line client.
func Inspector(t testing.TB) []string {
	return append(node(t, "inspector", "cli/build/cli.js"), "--cli")
}

// TSClient plays a scenario with the TypeScript SDK; see npm/client.mjs.
func TSClient(t testing.TB, scenario string) []string {
	return append(script(t, "client.mjs"), scenario)
}

// GoSDKClient plays a scenario with the official Go SDK.
func GoSDKClient(t testing.TB) []string { return []string{binary(t, "gosdkclient")} }

// Dir is the folder in which npx finds the servers.
func Dir(t testing.TB) string { return filepath.Join(root(t), ".rig", "npm") }

// node returns the command of an npm package, which is dist/index.js unless
// named otherwise.
func node(t testing.TB, pkg string, path ...string) []string {
	t.Helper()
	fresh(t, "package-lock.json")
	if path == nil {
		path = []string{"dist/index.js"}
	}
	file := filepath.Join(Dir(t), "node_modules", "@modelcontextprotocol", pkg, filepath.FromSlash(path[0]))
	if _, err := os.Stat(file); err != nil {
		missing(t, err.Error())
	}
	return []string{lookPath(t, "node"), file}
}

// script returns the command of a script of ours.
func script(t testing.TB, name string) []string {
	t.Helper()
	fresh(t, "package-lock.json")
	fresh(t, name)
	return []string{lookPath(t, "node"), filepath.Join(Dir(t), name)}
}

// fresh checks that what is installed is what this source asks for.
func fresh(t testing.TB, name string) {
	t.Helper()
	want, err := sources.ReadFile("npm/" + name)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(Dir(t), name))
	switch {
	case err != nil:
		missing(t, err.Error())
	case !bytes.Equal(got, want):
		missing(t, name+" has changed since it was installed")
	}
}

// binary returns a program of the module goservers.
func binary(t testing.TB, name string) string {
	t.Helper()
	file := filepath.Join(root(t), ".rig", "bin", name)
	if _, err := os.Stat(file); err != nil {
		missing(t, err.Error())
	}
	return file
}

func lookPath(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, err.Error())
	}
	return path
}

// missing ends the test.
func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("rig: %s; %s", what, help)
	}
	t.Skipf("rig: %s; %s", what, help)
}

// root is the folder of the repository: the nearest one up with a Makefile.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "Makefile")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("rig: not inside the repository")
		}
	}
}
