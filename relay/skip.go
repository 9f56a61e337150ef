package relay

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// textEnd finds the quote that ends a string, from i on. It returns its index,
// or -1 and whether the byte after p is escaped. esc says whether p[i] is
// escaped.
//
// A quote is found by a vector search, then the backslashes before it are
// counted; that is several times faster than looking at each byte.
func textEnd(p []byte, i int, esc bool) (int, bool) {
	if esc {
		if i == len(p) {
			return -1, true
		}
		i++
	}
	for from := i; ; i = from {
		k := indexQuote(p[from:])
		if k < 0 {
			return -1, backslashes(p[i:])%2 == 1
		}
		end := from + k
		if end == i || p[end-1] != '\\' || backslashes(p[i:end])%2 == 0 {
			return end, false
		}
		from = end + 1
	}
}

// indexQuote is bytes.IndexByte(p, '"') with a short way for short strings.
func indexQuote(p []byte) int {
	n := min(len(p), 8)
	for i := range n {
		if p[i] == '"' {
			return i
		}
	}
	if n == len(p) {
		return -1
	}
	if k := bytes.IndexByte(p[n:], '"'); k >= 0 {
		return n + k
	}
	return -1
}

// backslashes counts the backslashes at the end of p.
func backslashes(p []byte) int {
	n := 0
	for n < len(p) && p[len(p)-1-n] == '\\' {
		n++
	}
	return n
}

// pass goes over containers and strings of no interest until the outermost of
// them ends.
func (s *scanner) pass(p []byte, i int) int {
	for i < len(p) {
		if s.state == inSkipText {
			end, esc := textEnd(p, i, s.esc)
			if end < 0 {
				s.esc = esc
				return len(p)
			}
			s.state, s.esc = inSkip, false
			i = end + 1
			continue
		}
		i = indexToken(p, i)
		if i == len(p) {
			return i
		}
		switch p[i] {
		case '"':
			s.state = inSkipText
		case '{', '[':
			s.skip++
		case '}', ']':
			if s.skip--; s.skip == 0 {
				s.finish(i + 1)
				return i + 1
			}
		}
		i++
	}
	return i
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// indexToken returns the index, from i on, of the next quote or bracket, or of
// one of the few bytes that look alike (Y _ y DEL); len(p) if there is none.
// It looks at eight bytes at a time: all four brackets become 'y' once bit 5
// is set and bits 1 and 2 are cleared.
func indexToken(p []byte, i int) int {
	for ; i+8 <= len(p); i += 8 {
		x := binary.LittleEndian.Uint64(p[i:])
		if m := zeroBytes((x|0x20*ones)&^(0x06*ones)^'y'*ones) | zeroBytes(x^'"'*ones); m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
	}
	for ; i < len(p); i++ {
		switch p[i] {
		case '"', '{', '}', '[', ']':
			return i
		}
	}
	return i
}

// zeroBytes marks the zero bytes of x; the lowest mark is exact.
func zeroBytes(x uint64) uint64 { return (x - ones) &^ x & highs }
