package query

import (
	"bytes"
	"encoding/json"
)

// A text is a JSON string as it stands in a line, without its quotes.
type text struct {
	raw     []byte
	escaped bool // raw holds a backslash
}

// bytes returns the string. It allocates only where there are escapes.
func (t text) bytes() []byte {
	if !t.escaped {
		return t.raw
	}
	quoted := make([]byte, 0, len(t.raw)+2)
	quoted = append(append(append(quoted, '"'), t.raw...), '"')
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return t.raw
	}
	return []byte(s)
}

// A walker steps over the members of one JSON object. It checks what it steps
// over no further than it takes to find the next member.
type walker struct {
	b     []byte
	i     int  // where the next member, or the end, is to be found
	first bool // no member was read yet
	bad   bool // b is no JSON object
}

// walk begins at the opening brace.
func walk(b []byte) walker {
	w := walker{b: b, first: true}
	if w.i = skipSpace(b, 0); w.i >= len(b) || b[w.i] != '{' {
		w.bad = true
		return w
	}
	w.i++
	return w
}

// next returns the next member's name, and its value as it stands in the line.
// ok is false at the end, and where the object is bad.
func (w *walker) next() (name text, value []byte, ok bool) {
	b, i := w.b, w.i
	if !w.first {
		if i = skipSpace(b, i); i < len(b) && b[i] == ',' {
			i++
		} else {
			w.close(i)
			return text{}, nil, false
		}
	}
	i = skipSpace(b, i)
	if w.first && i < len(b) && b[i] == '}' {
		w.close(i)
		return text{}, nil, false
	}
	w.first = false
	name, i = stringAt(b, i)
	if i = skipSpace(b, i); i >= len(b) || b[i] != ':' {
		w.bad = true
		return text{}, nil, false
	}
	start := skipSpace(b, i+1)
	end := skipValue(b, start)
	if end <= start {
		w.bad = true
		return text{}, nil, false
	}
	w.i = end
	return name, b[start:end], true
}

// close expects the closing brace at i, and nothing behind it.
func (w *walker) close(i int) {
	w.i = i
	w.bad = i >= len(w.b) || w.b[i] != '}' || skipSpace(w.b, i+1) != len(w.b)
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n') {
		i++
	}
	return i
}

// stringAt reads the string at b[i] and returns the index behind it, or
// len(b)+1 where there is none.
func stringAt(b []byte, i int) (text, int) {
	if i >= len(b) || b[i] != '"' {
		return text{}, len(b) + 1
	}
	start := i + 1
	n := bytes.IndexByte(b[start:], '"')
	if n < 0 {
		return text{}, len(b) + 1
	}
	if bytes.IndexByte(b[start:start+n], '\\') < 0 {
		return text{raw: b[start : start+n]}, start + n + 1
	}
	for i = start; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return text{b[start:i], true}, i + 1
		}
	}
	return text{}, len(b) + 1
}

// skipString returns the index behind the string at b[i], or -1.
func skipString(b []byte, i int) int {
	for i++; ; {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return -1
		}
		end := i + n
		slashes := 0
		for end-1-slashes >= i && b[end-1-slashes] == '\\' {
			slashes++
		}
		i = end + 1
		if slashes%2 == 0 {
			return i
		}
	}
}

// skipValue returns the index behind the value at b[i], or -1 where there is
// none. Nesting costs no stack.
func skipValue(b []byte, i int) int {
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		return skipNested(b, i)
	case ',', ':', '}', ']':
		return -1
	}
	for i < len(b) && !endsLiteral[b[i]] {
		i++
	}
	return i
}

// endsLiteral holds the bytes that end a number or a word.
var endsLiteral = [256]bool{' ': true, '\t': true, '\r': true, '\n': true, ',': true, ':': true, '}': true, ']': true, '{': true, '[': true, '"': true}

func skipNested(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			if i = skipString(b, i); i < 0 {
				return -1
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return -1
}
