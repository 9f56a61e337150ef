package query

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// A finder looks for a text in any case.
type finder struct {
	low   string // in lower case
	at    int    // index of its rarest byte
	ascii bool
}

// commonness holds the bytes of event lines, the most common first, by a count
// over lines that the encoder of package audit made.
const commonness = `"_e,t:sa0r1dincul25438976-op.m{}[]f+kvbhgwyjxzq`

func newFinder(s string) *finder {
	f := &finder{low: strings.ToLower(s), ascii: true}
	best := -1
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			f.ascii = false
			return f
		}
		rank := strings.IndexByte(commonness, f.low[i])
		if rank < 0 {
			rank = len(commonness)
		}
		if rank > best {
			best, f.at = rank, i
		}
	}
	return f
}

// in reports whether b contains the text.
func (f *finder) in(b []byte) bool {
	if !f.ascii {
		return bytes.Contains(bytes.ToLower(b), []byte(f.low))
	}
	c := f.low[f.at]
	if f.by(b, c) {
		return true
	}
	return c >= 'a' && c <= 'z' && f.by(b, c-'a'+'A')
}

// by looks at each place where the rarest byte is c.
func (f *finder) by(b []byte, c byte) bool {
	for i := f.at; ; i++ {
		last := len(b) - (len(f.low) - f.at) + 1
		if i >= last {
			return false
		}
		n := bytes.IndexByte(b[i:last], c)
		if n < 0 {
			return false
		}
		i += n
		if f.equal(b[i-f.at : i-f.at+len(f.low)]) {
			return true
		}
	}
}

func (f *finder) equal(b []byte) bool {
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != f.low[i] {
			return false
		}
	}
	return true
}
