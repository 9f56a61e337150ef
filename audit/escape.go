package audit

import (
	"encoding/binary"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string and reports whether s was UTF-8.
//
// The result has no control character, no line or paragraph separator and
// nothing that reorders or hides text in a terminal (bidirectional controls,
// zero-width characters, tag characters): these are written as \u escapes, so
// nothing is lost. A byte that is not UTF-8 is written as \ufffd.
func appendString(dst []byte, s string) ([]byte, bool) {
	dst = append(dst, '"')
	if plain(s) {
		dst = append(dst, s...)
		return append(dst, '"'), true
	}
	valid := true
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if plainByte(c) {
				i++
				continue
			}
			dst = append(dst, s[start:i]...)
			dst = appendEscapedByte(dst, c)
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		broken := r == utf8.RuneError && size == 1
		if !broken && !deceptive(r) {
			i += size
			continue
		}
		valid = valid && !broken
		dst = append(dst, s[start:i]...)
		dst = appendEscapedRune(dst, r)
		i += size
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"'), valid
}

// plain reports whether s holds only printable ASCII that needs no escape. It
// looks at eight bytes at a time, with the zero-in-word test of
// https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord.
func plain(s string) bool {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	for len(s) >= 8 {
		w := binary.LittleEndian.Uint64([]byte(s[:8]))
		bad := w                     // high bit set: not ASCII
		bad |= (w - ones*0x20) &^ w  // below space
		bad |= zeroes(w ^ ones*'"')  // quote
		bad |= zeroes(w ^ ones*'\\') // backslash
		bad |= zeroes(w ^ ones*0x7f) // delete
		if bad&highs != 0 {
			return false
		}
		s = s[8:]
	}
	for i := range len(s) {
		if !plainByte(s[i]) {
			return false
		}
	}
	return true
}

// zeroes sets the high bit of a byte where w may have a zero byte, and of at
// least one where it has.
func zeroes(w uint64) uint64 { return (w - 0x0101010101010101) &^ w }

func plainByte(c byte) bool { return c >= ' ' && c < 0x7f && c != '"' && c != '\\' }

func appendEscapedByte(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return appendU(dst, uint16(c))
}

func appendEscapedRune(dst []byte, r rune) []byte {
	if r < 0x10000 {
		return appendU(dst, uint16(r))
	}
	r -= 0x10000
	dst = appendU(dst, uint16(0xd800+r>>10))
	return appendU(dst, uint16(0xdc00+r&0x3ff))
}

func appendU(dst []byte, u uint16) []byte {
	return append(dst, '\\', 'u', hexDigits[u>>12], hexDigits[u>>8&15], hexDigits[u>>4&15], hexDigits[u&15])
}

// deceptive reports whether r, though text, can make a line look like
// something that it is not.
func deceptive(r rune) bool {
	switch {
	case r < 0xa0: // C1 controls
		return true
	case r == 0xad, r == 0x61c, r == 0xfeff, // soft hyphen, Arabic letter mark, byte order mark
		r == utf8.RuneError: // always \ufffd, so that a mended string encodes to the same bytes again
		return true
	case r >= 0x200b && r <= 0x200f, // zero-width characters, direction marks
		r >= 0x2028 && r <= 0x202e, // line and paragraph separator, embeddings and overrides
		r >= 0x2060 && r <= 0x206f: // invisible operators, isolates
		return true
	}
	return r >= 0xe0000 && r <= 0xe007f // tag characters: ASCII that nobody sees
}
