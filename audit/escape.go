package audit

import "unicode/utf8"

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string and reports whether s was UTF-8.
//
// The result has no control character, no line or paragraph separator and
// nothing that reorders or hides text in a terminal (bidirectional controls,
// zero-width characters, tag characters): these are written as \u escapes, so
// nothing is lost. A byte that is not UTF-8 is written as \ufffd.
func appendString(dst []byte, s string) ([]byte, bool) {
	if plain(s) {
		dst = append(dst, '"')
		dst = append(dst, s...)
		return append(dst, '"'), true
	}
	return appendEscaped(dst, s)
}

func appendEscaped(dst []byte, s string) ([]byte, bool) {
	dst = append(dst, '"')
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
// looks at eight bytes at a time; the last eight may overlap the ones before.
func plain(s string) bool {
	if len(s) < 8 {
		for i := range len(s) {
			if !plainByte(s[i]) {
				return false
			}
		}
		return true
	}
	for i := 0; i < len(s)-8; i += 8 {
		if special(load64(s, i)) {
			return false
		}
	}
	return !special(load64(s, len(s)-8))
}

func load64(s string, i int) uint64 {
	b := s[i : i+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// special reports whether one of the eight bytes of w is no plainByte, with
// the tests for a byte less than n, and for a byte equal to n, of
// https://graphics.stanford.edu/~seander/bithacks.html.
func special(w uint64) bool {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	quote, slash, del := w^ones*'"', w^ones*'\\', w^ones*0x7f
	bad := w // not ASCII
	bad |= (w - ones*' ') &^ w
	bad |= (quote - ones) &^ quote
	bad |= (slash - ones) &^ slash
	bad |= (del - ones) &^ del
	return bad&highs != 0
}

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
	case r == 0x115f, r == 0x1160, r == 0x3164, r == 0xffa0, r == 0x180e: // fillers and separators without width
		return true
	case r >= 0xfe00 && r <= 0xfe0f, r >= 0xfff9 && r <= 0xfffb: // variation selectors, annotations
		return true
	case r >= 0x200b && r <= 0x200f, // zero-width characters, direction marks
		r >= 0x2028 && r <= 0x202e, // line and paragraph separator, embeddings and overrides
		r >= 0x2060 && r <= 0x206f: // invisible operators, isolates
		return true
	}
	return r >= 0xe0000 && r <= 0xe01ef // tags and variation selectors: text that nobody sees
}
