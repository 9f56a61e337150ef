package query

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math/bits"
)

// A text is where a JSON string stands in a line, without its quotes. Places
// instead of slices keep a record free of pointers.
type text struct {
	from, to int32
	escaped  bool // it holds a backslash
}

// in returns the string, given the line that it stands in. It allocates only
// where there are escapes.
func (t text) in(line []byte) []byte {
	raw := line[t.from:t.to]
	if !t.escaped {
		return raw
	}
	return unescape(raw)
}

// unescape returns what a string with escapes stands for, or the string as it
// is where the escapes are wrong.
func unescape(raw []byte) []byte {
	quoted := make([]byte, 0, len(raw)+2)
	quoted = append(append(append(quoted, '"'), raw...), '"')
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return raw
	}
	return []byte(s)
}

// A walker steps over the members of one JSON object. It checks what it steps
// over no further than it takes to find the next member.
type walker struct {
	b     []byte
	i     int  // where the next member, or the end, is to be found
	first bool // no member was read yet
	bad   bool // there is no whole JSON object
	member
}

// A member is a name and where its value stands, the quotes of a string and
// the brackets of a list or an object included.
type member struct {
	name     text
	from, to int
	quoted   bool // the value is a string
	content  text // of a string
}

// walk begins at the opening brace, at or behind b[i]. The object must end
// with b.
func walk(b []byte, i int) walker {
	w := walker{b: b, first: true}
	if w.i = skipSpace(b, i); w.i >= len(b) || b[w.i] != '{' {
		w.bad = true
		return w
	}
	w.i++
	return w
}

// next moves to the next member. It returns false at the end, and where the
// object is bad.
func (w *walker) next() bool {
	b, i := w.b, w.i
	if w.bad {
		return false
	}
	if !w.first {
		if i = skipSpace(b, i); i >= len(b) || b[i] != ',' {
			w.close(i)
			return false
		}
		i++
	}
	i = skipSpace(b, i)
	if w.first && i < len(b) && b[i] == '}' {
		w.close(i)
		return false
	}
	w.first = false
	w.name, i = stringAt(b, i)
	if i = skipSpace(b, i); i >= len(b) || b[i] != ':' {
		w.bad = true
		return false
	}
	w.value(skipSpace(b, i+1))
	w.i, w.bad = w.to, w.to <= w.from || w.to > len(b)
	return !w.bad
}

// value finds the end of the value at b[i].
func (w *walker) value(i int) {
	w.from = i
	if w.quoted = i < len(w.b) && w.b[i] == '"'; w.quoted {
		w.content, w.to = stringAt(w.b, i)
		return
	}
	w.to = skipValue(w.b, i)
}

// close expects the closing brace at i, and nothing behind it.
func (w *walker) close(i int) {
	w.bad = i >= len(w.b) || w.b[i] != '}' || skipSpace(w.b, i+1) != len(w.b)
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && b[i] <= ' ' && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n') {
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
	from := i + 1
	to := special(b, from)
	escaped := to < len(b) && b[to] == '\\'
	for to < len(b) && b[to] == '\\' {
		to = special(b, to+2)
	}
	if to >= len(b) {
		return text{}, len(b) + 1
	}
	return text{int32(from), int32(to), escaped}, to + 1
}

// special returns the index of the first quote or backslash from b[i] on, or
// at least len(b). It looks at eight bytes at once: names are too short for
// bytes.IndexByte to be worth its call, twice.
func special(b []byte, i int) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		q, s := x^(ones*'"'), x^(ones*'\\')
		if found := ((q-ones)&^q | (s-ones)&^s) & tops; found != 0 {
			return i + bits.TrailingZeros64(found)>>3
		}
	}
	for i < len(b) && b[i] != '"' && b[i] != '\\' {
		i++
	}
	return i
}

// skipString returns the index behind the string at b[i], or -1.
func skipString(b []byte, i int) int {
	for i++; i < len(b); {
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
	return -1
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
