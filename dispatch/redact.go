package dispatch

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
)

// RedactedHome stands for the home directory in what callers are told.
const RedactedHome = "<redacted:home>"

// RedactPaths returns a middleware that replaces a home directory by
// RedactedHome: in every string of a result or of an error's details, but not
// in keys, and in messages. A path that merely begins alike (/home/al in
// /home/alice) stays. The error says that home is no absolute path below the
// root.
func RedactPaths(home string) (Middleware, error) {
	home = filepath.Clean(home)
	if !filepath.IsAbs(home) || filepath.Dir(home) == home {
		return nil, errors.New("dispatch: the home directory is no absolute path below the root")
	}
	return &redactPaths{home}, nil
}

type redactPaths struct{ home string }

func (r *redactPaths) OnResult(_ *Call, result json.RawMessage) json.RawMessage {
	return r.redact(result)
}

func (r *redactPaths) OnError(_ *Call, message string, details json.RawMessage) (string, json.RawMessage) {
	if details != nil {
		details = r.redact(details)
	}
	return r.text(message), details
}

// redact walks JSON from string to string. What stands between strings is
// copied as it is.
func (r *redactPaths) redact(text json.RawMessage) json.RawMessage {
	if !bytes.Contains(text, []byte(r.home)) && bytes.IndexByte(text, '\\') < 0 {
		return text
	}
	var out []byte // nil while nothing has changed
	copied := 0
	for i := 0; i < len(text); i++ {
		if text[i] != '"' {
			continue
		}
		end := stringEnd(text, i)
		if changed, ok := r.value(text[i:end]); ok && !isKey(text[end:]) {
			out = append(append(out, text[copied:i]...), changed...)
			copied = end
		}
		i = end - 1
	}
	if out == nil {
		return text
	}
	return append(out, text[copied:]...)
}

// value redacts a JSON string, with its quotes, and says whether it changed.
func (r *redactPaths) value(quoted []byte) ([]byte, bool) {
	if !bytes.Contains(quoted, []byte(r.home)) && bytes.IndexByte(quoted, '\\') < 0 {
		return nil, false
	}
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return nil, false
	}
	redacted := r.text(s)
	if redacted == s {
		return nil, false
	}
	return details(redacted), true
}

// text replaces the home directory where a path ends after it.
func (r *redactPaths) text(s string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, r.home)
		b.WriteString(before)
		switch {
		case !found:
			return b.String()
		case continuesName(after):
			b.WriteString(r.home)
		default:
			b.WriteString(RedactedHome)
		}
		s = after
	}
}

// continuesName reports whether the text goes on with the name of a file.
func continuesName(after string) bool {
	if after == "" {
		return false
	}
	c := after[0]
	return c >= 0x80 || c == '_' || c == '-' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// stringEnd returns the index after the string that begins at i.
func stringEnd(text []byte, i int) int {
	for j := i + 1; j < len(text); j++ {
		switch text[j] {
		case '\\':
			j++
		case '"':
			return j + 1
		}
	}
	return len(text)
}

// isKey reports whether a string that is followed by rest is a member's name.
func isKey(rest []byte) bool {
	i := firstToken(rest)
	return i < len(rest) && rest[i] == ':'
}
