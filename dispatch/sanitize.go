package dispatch

import (
	"slices"
	"strings"
)

// Sanitize turns a tool's id into a name that language models and MCP take:
// every character outside [A-Za-z0-9_-] becomes '_'. Several ids can share a
// name; see [Collisions].
func Sanitize(id string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && (r == '_' || r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z') {
			return r
		}
		return '_'
	}, id)
}

// Unsanitize returns the first of the ids whose name this is.
func Unsanitize(name string, ids []string) (id string, ok bool) {
	i := slices.IndexFunc(ids, func(id string) bool { return Sanitize(id) == name })
	if i < 0 {
		return "", false
	}
	return ids[i], true
}

// Collisions returns the names that several of the ids share, with their ids in
// the order given.
func Collisions(ids []string) map[string][]string {
	byName := map[string][]string{}
	for _, id := range ids {
		name := Sanitize(id)
		if !slices.Contains(byName[name], id) {
			byName[name] = append(byName[name], id)
		}
	}
	for name, shared := range byName {
		if len(shared) < 2 {
			delete(byName, name)
		}
	}
	return byName
}
