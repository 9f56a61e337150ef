package config

import (
	"path"
	"path/filepath"
	"strings"
)

// ServerName guesses a server's name from the command that starts it: the
// package or image that a runner is told to run, the script, or the program
// itself.
//
//	npx -y @modelcontextprotocol/server-filesystem@2026.8.31 /data   server-filesystem
//	node /srv/weather/dist/index.js                                  weather
//	docker run -i --rm -e KEY=secret mcp/github                      github
//	/usr/local/bin/github-mcp --stdio                                github-mcp
//
// A command line may hold secrets, and a name is seen by many. So values of
// options, settings, program texts (sh -c) and queries are never taken; where
// nothing else is named, the runner gives its own name.
func ServerName(args []string) string {
	if len(args) == 0 {
		return "server"
	}
	name, folder := args[0], ""
	for len(args) > 0 {
		r, ok := runnerOf(program(args[0]))
		if !ok {
			break
		}
		rest, in := r.subject(args[1:])
		if len(rest) == 0 || strings.ContainsAny(rest[0], " \t\r\n") && !strings.Contains(rest[0], "/") {
			return program(args[0])
		}
		args, name, folder = rest, rest[0], in
		if r.image {
			name, folder = untagged(name), ""
			break
		}
	}
	if folder != "" && !path.IsAbs(filepath.ToSlash(name)) {
		name = folder + "/" + name
	}
	if name := stem(name); name != "" {
		return name
	}
	return "server"
}

// untagged is a container image without its tag.
func untagged(image string) string {
	if i := strings.LastIndexByte(image, ':'); i > strings.LastIndexByte(image, '/') {
		return image[:i]
	}
	return image
}

// program is the name of a program without its folder and extension.
func program(arg string) string {
	name := path.Base(filepath.ToSlash(arg))
	for _, ext := range []string{".exe", ".cmd", ".bat"} {
		name = strings.TrimSuffix(name, ext)
	}
	return name
}

// place is what is left of an argument without what may be secret: a query, a
// fragment, the user and host of a URL, and options that stand in one word with
// the program.
func place(arg string) string {
	if i := strings.IndexAny(arg, "?#="); i >= 0 {
		arg = arg[:i]
	}
	if i := strings.Index(arg, " -"); i >= 0 {
		arg = arg[:i]
	}
	if _, rest, ok := strings.Cut(arg, "://"); ok {
		_, arg, _ = strings.Cut(rest, "/")
	}
	return filepath.ToSlash(arg)
}

// stem is what is left of a package or script without scope, version, folder
// and extension. A script that is called like every other gives way to its
// folder.
func stem(arg string) string {
	parts := strings.Split(strings.Trim(place(arg), "/"), "/")
	for i := len(parts) - 1; i >= 0; i-- {
		name, version, versioned := strings.Cut(parts[i], "@")
		if name == "" && versioned { // the scope of a package, "@scope"
			name = version
		}
		name = name[strings.LastIndexByte(name, ':')+1:] // npm:package, C:
		if words := strings.Fields(name); len(words) > 0 {
			name = words[0]
		}
		for _, ext := range []string{".js", ".mjs", ".cjs", ".ts", ".py", ".go", ".sh", ".git", ".exe", ".cmd", ".bat"} {
			name = strings.TrimSuffix(name, ext)
		}
		if name != "" && name != "." && name != ".." && !nondescript[name] {
			return name
		}
	}
	return ""
}

var nondescript = map[string]bool{
	"index": true, "main": true, "__main__": true, "server": true, "cli": true, "dist": true, "build": true, "src": true, "lib": true,
	"bin": true, "out": true, "start": true,
}
