package relay

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

const (
	ones    = 0x0101010101010101
	highs   = 0x80 * ones
	quotes  = '"' * ones
	slashes = '\\' * ones
)

// textEnd finds the quote that ends a string, from i on. It returns its index,
// or -1 and whether the byte after p is escaped. esc says whether p[i] is
// escaped. The start of the string is read eight bytes at a time, since most
// strings are short.
func textEnd(p []byte, i int, esc bool) (int, bool) {
	if !esc {
		if i = indexStop(p, i); i < len(p) && p[i] == '"' {
			return i, false
		}
	}
	return longTextEnd(p, i, esc)
}

// indexStop returns the index, from i on, of the next quote or backslash, or
// gives up somewhere before it.
func indexStop(p []byte, i int) int {
	for n := 0; n < 4 && i+8 <= len(p); n++ {
		x := binary.LittleEndian.Uint64(p[i:])
		if m := zeroBytes(x^quotes) | zeroBytes(x^slashes); m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
		i += 8
	}
	return i
}

// longTextEnd finds each quote by a vector search and then counts the
// backslashes before it; on long strings that is several times faster than
// looking at each byte.
func longTextEnd(p []byte, i int, esc bool) (int, bool) {
	if esc {
		if i == len(p) {
			return -1, true
		}
		i++
	}
	for from := i; ; i = from {
		k := bytes.IndexByte(p[from:], '"')
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
	if s.state == inSkipText {
		if i = s.passText(p, i, s.esc); i == len(p) {
			return i
		}
	}
	for {
		if i = indexToken(p, i); i == len(p) {
			return i
		}
		c := p[i]
		i++
		switch c {
		case '"':
			if i = s.passText(p, i, false); i == len(p) {
				return i
			}
		case '{', '[':
			s.skip++
		case '}', ']':
			if s.skip--; s.skip == 0 {
				return s.finish(p, i)
			}
		}
	}
}

// passText goes over a string inside a container that is passed over.
func (s *scanner) passText(p []byte, i int, esc bool) int {
	end, esc := textEnd(p, i, esc)
	if end < 0 {
		s.state, s.esc = inSkipText, esc
		return len(p)
	}
	s.state, s.esc = inSkip, false
	return end + 1
}

// indexToken returns the index, from i on, of the next quote or bracket, or of
// one of the few bytes that look alike (Y _ y DEL); len(p) if there is none.
// It looks at eight bytes at a time: all four brackets become 'y' once bit 5
// is set and bits 1 and 2 are cleared.
func indexToken(p []byte, i int) int {
	for ; i+8 <= len(p); i += 8 {
		x := binary.LittleEndian.Uint64(p[i:])
		if m := zeroBytes((x|0x20*ones)&^(0x06*ones)^'y'*ones) | zeroBytes(x^quotes); m != 0 {
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
