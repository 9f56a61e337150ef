package config

import (
	"path"
	"path/filepath"
	"strings"
)

// ServerName guesses a server's name from the command that starts it: the
// package that a runner is told to run, the script, or the program itself.
//
//	npx -y @modelcontextprotocol/server-filesystem@2026.8.31 /data   server-filesystem
//	node /srv/weather/dist/index.js                                  weather
//	/usr/local/bin/github-mcp --stdio                                github-mcp
func ServerName(args []string) string {
	for len(args) > 0 && (runners[program(args[0])] || strings.Contains(args[0], "=")) {
		rest := subject(args[1:])
		if len(rest) == 0 {
			break
		}
		args = rest
	}
	if len(args) == 0 {
		return "server"
	}
	if name := stem(args[0]); name != "" {
		return name
	}
	return "server"
}

// runners are programs whose first argument that is no option says what runs.
var runners = map[string]bool{
	"npx": true, "npm": true, "bunx": true, "bun": true, "pnpm": true, "yarn": true, "node": true, "deno": true, "tsx": true,
	"uvx": true, "uv": true, "pipx": true, "python": true, "python3": true, "go": true, "env": true, "sh": true, "bash": true,
}

// subject skips the options and sub-commands of a runner.
func subject(args []string) []string {
	for len(args) > 0 {
		word := args[0]
		sub := word == "run" || word == "exec" || word == "x" || word == "dlx" || word == "tool"
		if !strings.HasPrefix(word, "-") && !sub && !strings.Contains(word, "=") {
			return args
		}
		args = args[1:]
	}
	return nil
}

// program is the name of a program without its folder and extension.
func program(arg string) string {
	name := path.Base(filepath.ToSlash(arg))
	for _, ext := range []string{".exe", ".cmd", ".bat"} {
		name = strings.TrimSuffix(name, ext)
	}
	return name
}

// stem is what is left of a package or script without scope, version, folder
// and extension. A script that is called like every other gives way to its
// folder.
func stem(arg string) string {
	parts := strings.Split(strings.Trim(filepath.ToSlash(arg), "/"), "/")
	for i := len(parts) - 1; i >= 0; i-- {
		name, version, versioned := strings.Cut(parts[i], "@")
		if name == "" && versioned { // the scope of a package, "@scope"
			name = version
		}
		for _, ext := range []string{".js", ".mjs", ".cjs", ".ts", ".py", ".go", ".exe", ".cmd", ".bat"} {
			name = strings.TrimSuffix(name, ext)
		}
		if name != "" && name != "." && !nondescript[name] {
			return name
		}
	}
	return ""
}

var nondescript = map[string]bool{
	"index": true, "main": true, "__main__": true, "server": true, "cli": true, "dist": true, "build": true, "src": true, "lib": true,
	"bin": true, "out": true,
}
