package query

import "strings"

// A pattern is one value of a word: literal text, or text with wildcards.
type pattern struct {
	text string // literal, or with wildAny and wildOne in it
	glob bool
}

// Wildcards are kept as bytes that never stand in UTF-8, so that a quoted *
// stays literal.
const (
	wildAny = 0xff // any run of bytes, also none
	wildOne = 0xfe // any one character
)

// match reports whether s is what the pattern describes.
func (p *pattern) match(s []byte) bool {
	if !p.glob {
		return string(s) == p.text
	}
	return globMatch(p.text, s)
}

// globMatch walks both strings and, on a mismatch, goes back to the last
// wildAny with one more byte given to it: no recursion, at most len(p)·len(s)
// steps.
func globMatch(p string, s []byte) bool {
	pi, si := 0, 0
	star, from := -1, 0
	for si < len(s) {
		switch {
		case pi < len(p) && p[pi] == wildAny:
			star, from = pi, si
			pi++
		case pi < len(p) && p[pi] == wildOne:
			pi++
			si += runeLen(s[si:])
		case pi < len(p) && p[pi] == s[si]:
			pi++
			si++
		case star >= 0:
			from++
			pi, si = star+1, from
		default:
			return false
		}
	}
	for pi < len(p) && p[pi] == wildAny {
		pi++
	}
	return pi == len(p)
}

// runeLen returns how many bytes the character at the start of s takes.
func runeLen(s []byte) int {
	n := 1
	for n < len(s) && n < 4 && s[n]&0xc0 == 0x80 {
		n++
	}
	return n
}

// String returns the pattern as it is written in a filter.
func (p *pattern) String() string {
	if p.text != "" && !needsQuotes(p.text) {
		return unmark.Replace(p.text)
	}
	if !p.glob {
		return quote(p.text)
	}
	var b strings.Builder
	for rest := p.text; rest != ""; {
		n := 0
		for n < len(rest) && rest[n] != wildAny && rest[n] != wildOne {
			n++
		}
		if n == 0 {
			n = 1
			b.WriteString(unmark.Replace(rest[:n]))
		} else {
			b.WriteString(quote(rest[:n]))
		}
		rest = rest[n:]
	}
	return b.String()
}

var unmark = strings.NewReplacer("\xff", "*", "\xfe", "?")
