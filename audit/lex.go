package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxDepth is how deep values may be nested in a line. Ours are nested four
// deep, and captured content no deeper than encoding/json takes.
const maxDepth = 10_050

var errSyntax = errors.New("not valid JSON")

// A lexer reads one JSON text from front to back. It keeps its first error,
// and does nothing once it has one.
type lexer struct {
	text string
	pos  int
	err  error
}

func (l *lexer) fail(err error) {
	if l.err == nil {
		l.err = err
	}
}

// peek skips white space and returns the next byte, or 0 at the end.
func (l *lexer) peek() byte {
	for l.err == nil && l.pos < len(l.text) {
		switch c := l.text[l.pos]; c {
		case ' ', '\t', '\r', '\n':
			l.pos++
		default:
			return c
		}
	}
	return 0
}

// take consumes the next byte if it is c.
func (l *lexer) take(c byte) bool {
	if l.peek() != c {
		return false
	}
	l.pos++
	return true
}

func (l *lexer) expect(c byte) {
	if !l.take(c) {
		l.fail(fmt.Errorf("%w: want %q", errSyntax, c))
	}
}

// end checks that nothing follows.
func (l *lexer) end() {
	if l.peek(); l.err == nil && l.pos != len(l.text) {
		l.fail(fmt.Errorf("%w: text after the value", errSyntax))
	}
}

// object calls field for each key; field must consume the value.
func (l *lexer) object(field func(key string)) {
	l.expect('{')
	if l.take('}') {
		return
	}
	for l.err == nil {
		key := l.string()
		l.expect(':')
		field(key)
		if !l.take(',') {
			l.expect('}')
			return
		}
	}
}

// array calls element for each element; element must consume it.
func (l *lexer) array(element func()) {
	l.expect('[')
	if l.take(']') {
		return
	}
	for l.err == nil {
		element()
		if !l.take(',') {
			l.expect(']')
			return
		}
	}
}

// string reads a string. An escaped surrogate without its other half becomes
// U+FFFD.
func (l *lexer) string() string {
	raw := l.rawString()
	if l.err != nil {
		return ""
	}
	inner := raw[1 : len(raw)-1]
	if plain(inner) {
		return inner
	}
	var s string
	if err := json.Unmarshal([]byte(raw), &s); err != nil {
		l.fail(err)
	}
	return s
}

// rawString consumes a string and returns it with its quotes.
func (l *lexer) rawString() string {
	if l.peek() != '"' {
		l.fail(fmt.Errorf("%w: want a string", errSyntax))
		return ""
	}
	n := closingQuote(l.text[l.pos:])
	if n < 0 {
		l.fail(fmt.Errorf("%w: a string does not end", errSyntax))
		return ""
	}
	raw := l.text[l.pos : l.pos+n+1]
	l.pos += n + 1
	return raw
}

// closingQuote returns the index of the quote that ends the string at the
// start of s, or -1.
func closingQuote(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// uint reads an integer that is not negative.
func (l *lexer) uint() uint64 {
	text := l.literal()
	if l.err != nil {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		l.fail(fmt.Errorf("%q is not a whole number from 0 to 2^64-1", text))
	}
	return n
}

func (l *lexer) bool() bool {
	text := l.literal()
	if text != "true" && text != "false" {
		l.fail(fmt.Errorf("%w: want true or false", errSyntax))
	}
	return text == "true"
}

// null consumes null, if that is next.
func (l *lexer) null() bool {
	if l.peek() != 'n' || !strings.HasPrefix(l.text[l.pos:], "null") {
		return false
	}
	l.pos += len("null")
	return true
}

// literal consumes a number or a word.
func (l *lexer) literal() string {
	l.peek()
	start := l.pos
	for l.pos < len(l.text) && !strings.ContainsRune(" \t\r\n,:]}[{\"", rune(l.text[l.pos])) {
		l.pos++
	}
	if start == l.pos {
		l.fail(fmt.Errorf("%w: want a value", errSyntax))
	}
	return l.text[start:l.pos]
}

// raw consumes any value and returns its text, which is valid JSON.
func (l *lexer) raw() string {
	l.peek()
	start := l.pos
	l.skip()
	text := l.text[start:l.pos]
	if l.err == nil && !json.Valid([]byte(text)) {
		l.fail(errSyntax)
	}
	return text
}

// skip consumes any value without recursion. It checks brackets and strings,
// not the grammar between them.
func (l *lexer) skip() {
	depth := 0
	for l.err == nil {
		switch l.peek() {
		case '"':
			l.rawString()
		case '{', '[':
			l.pos++
			if depth++; depth > maxDepth {
				l.fail(errors.New("nested too deeply"))
			}
			continue
		case '}', ']':
			if depth == 0 {
				l.fail(fmt.Errorf("%w: want a value", errSyntax))
				return
			}
			l.pos++
			depth--
		case ',', ':':
			if depth == 0 {
				l.fail(fmt.Errorf("%w: want a value", errSyntax))
				return
			}
			l.pos++
			continue
		default:
			l.literal()
		}
		if depth == 0 {
			return
		}
	}
}
