package query

import (
	"errors"
	"strings"
)

var errQuote = errors.New(`a quote does not end; inside quotes, write \" for " and \\ for \`)

// A token is one word of a filter. Its characters keep whether they were
// quoted, since a quoted character is never a separator or a wildcard.
type token struct {
	source string // as it was written
	chars  []char
}

type char struct {
	c      byte
	quoted bool
}

// tokenize splits text at white space outside quotes.
func tokenize(text string) ([]token, error) {
	var list []token
	for i := 0; i < len(text); {
		if isSpace(text[i]) {
			i++
			continue
		}
		n, chars, err := readToken(text[i:])
		if err != nil {
			return nil, &ParseError{Word: text[i:], Err: err}
		}
		list = append(list, token{text[i : i+n], chars})
		i += n
	}
	return list, nil
}

// readToken reads the word at the start of text, and returns its length.
func readToken(text string) (n int, chars []char, err error) {
	quoted := false
	for n = 0; n < len(text) && (quoted || !isSpace(text[n])); n++ {
		c := text[n]
		switch {
		case c == '"':
			quoted = !quoted
			if quoted {
				chars = append(chars, char{0, true}) // marks that a quote began, for ""
			}
			continue
		case quoted && c == '\\' && n+1 < len(text) && (text[n+1] == '"' || text[n+1] == '\\'):
			n++
			c = text[n]
		}
		chars = append(chars, char{c, quoted})
	}
	if quoted {
		return 0, nil, errQuote
	}
	return n, chars, nil
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// cutKey splits chars at the first colon that is not quoted and has no quote
// before it.
func cutKey(chars []char) (name string, value []char, ok bool) {
	for i, ch := range chars {
		switch {
		case ch.quoted:
			return "", nil, false
		case ch.c == ':':
			return plainText(chars[:i]), chars[i+1:], i > 0
		}
	}
	return "", nil, false
}

// plainText returns the characters without the marks of quotes.
func plainText(chars []char) string {
	var b strings.Builder
	for _, ch := range chars {
		if ch.c != 0 {
			b.WriteByte(ch.c)
		}
	}
	return b.String()
}

// patterns splits chars at commas that are not quoted. ok is false where an
// element is empty and not written as "".
func patterns(chars []char) (list []pattern, ok bool) {
	start := 0
	for i := 0; i <= len(chars); i++ {
		if i < len(chars) && (chars[i].quoted || chars[i].c != ',') {
			continue
		}
		if i == start {
			return nil, false
		}
		list = append(list, makePattern(chars[start:i]))
		start = i + 1
	}
	return list, true
}

func makePattern(chars []char) (p pattern) {
	var b strings.Builder
	for _, ch := range chars {
		c := ch.c
		switch {
		case c == 0:
			continue
		case c == '*' && !ch.quoted:
			c, p.glob = wildAny, true
		case c == '?' && !ch.quoted:
			c, p.glob = wildOne, true
		}
		b.WriteByte(c)
	}
	p.text = b.String()
	return p
}

// needsQuotes reports whether a literal would be read as something else
// without quotes.
func needsQuotes(s string) bool {
	return strings.ContainsAny(s, " \t\n\v\f\r,\"*?")
}

var escapeQuotes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func quote(s string) string { return `"` + escapeQuotes.Replace(s) + `"` }
