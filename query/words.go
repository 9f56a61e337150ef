package query

import (
	"fmt"
	"strings"
)

// A key is what a filter's word speaks of.
type key uint8

const (
	keyText key = iota // a bare word
	keyTool
	keyCaller
	keyOutcome
	keyCode
	keyServer
	keySince
	keyUntil
	keyMin
	keyID
	keySession
	keyPrincipal
)

var keyNames = [...]string{
	keyTool: "tool", keyCaller: "caller", keyOutcome: "outcome", keyCode: "code", keyServer: "server",
	keySince: "since", keyUntil: "until", keyMin: "min", keyID: "id", keySession: "session", keyPrincipal: "principal",
}

// Words returns the words of the filter language, each with its colon, in the
// order in which help should show them.
func Words() []string {
	var list []string
	for _, n := range keyNames[keyTool:] {
		list = append(list, n+":")
	}
	return list
}

// keyOf returns the key of a name, in any case.
func keyOf(name string) (key, bool) {
	name = strings.ToLower(name)
	for k := keyTool; int(k) < len(keyNames); k++ {
		if keyNames[k] == name {
			return k, true
		}
	}
	return 0, false
}

// A ParseError says which word of a filter is wrong, and why.
type ParseError struct {
	// Word is the word as it was given.
	Word string
	// Err says what is wrong, and what would be right.
	Err error
}

// Error names the word and the cause.
func (e *ParseError) Error() string { return fmt.Sprintf("query: %q: %v", e.Word, e.Err) }

// Unwrap returns the cause.
func (e *ParseError) Unwrap() error { return e.Err }

// An UnknownError says that a name is not one of those that are known.
type UnknownError struct {
	// What is the kind of name: "word" or "outcome".
	What string
	// Name is the unknown name.
	Name string
	// Nearest is the known name most like it, or "".
	Nearest string
	// Known are all known names.
	Known []string
}

// Error suggests the nearest name and lists all.
func (e *UnknownError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "unknown %s %s", e.What, e.Name)
	if e.Nearest != "" {
		fmt.Fprintf(&b, ", did you mean %s?", e.Nearest)
	}
	fmt.Fprintf(&b, " (one of %s)", strings.Join(e.Known, " "))
	return b.String()
}

// nearest returns the known name with the smallest edit distance from name,
// or "" where none is near.
func nearest(name string, known []string) string {
	const maxName = 64
	if len(name) > maxName {
		return ""
	}
	name = strings.ToLower(name)
	best, at := "", max(2, len(name)/3)+1
	for _, k := range known {
		d := distance(name, k)
		if strings.HasPrefix(k, strings.TrimSuffix(name, ":")) {
			d = min(d, 1)
		}
		if d < at {
			best, at = k, d
		}
	}
	return best
}

// distance is the Levenshtein distance of two short strings.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			d := diagonal
			if a[i-1] != b[j-1] {
				d = 1 + min(diagonal, row[j], row[j-1])
			}
			diagonal, row[j] = row[j], d
		}
	}
	return row[len(b)]
}
