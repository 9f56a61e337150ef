package relay

import (
	"bytes"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

func lowest(set uint64) field { return field(bits.TrailingZeros64(set)) }

func escaped(b []byte) bool { return bytes.IndexByte(b, '\\') >= 0 }

// decode returns the value of a JSON string's inside, cut to limit bytes at a
// character's start.
func decode(b []byte, limit int) string {
	if escaped(b) {
		b = appendUnescaped(nil, b[:min(len(b), 6*limit+12)])
	}
	return string(cut(b, limit))
}

// cut returns the first limit bytes of b, less the part of a character that
// would be torn.
func cut(b []byte, limit int) []byte {
	if len(b) <= limit {
		return b
	}
	for n := limit; n > limit-utf8.UTFMax && n > 0; n-- {
		if utf8.RuneStart(b[n]) {
			return b[:n]
		}
	}
	return b[:limit]
}

// appendUnescaped appends the value of a JSON string's inside. An escape that
// is wrong or torn is kept as it stands; half a surrogate pair becomes U+FFFD.
func appendUnescaped(dst, b []byte) []byte {
	for len(b) > 0 {
		k := bytes.IndexByte(b, '\\')
		if k < 0 {
			return append(dst, b...)
		}
		dst = append(dst, b[:k]...)
		b = b[k:]
		var n int
		dst, n = appendEscape(dst, b)
		b = b[n:]
	}
	return dst
}

// appendEscape appends what the escape at the start of b stands for and
// returns how many bytes it took.
func appendEscape(dst, b []byte) ([]byte, int) {
	if len(b) < 2 {
		return append(dst, b...), len(b)
	}
	if b[1] == 'u' {
		return appendUnicode(dst, b)
	}
	if k := bytes.IndexByte([]byte(`"\/bfnrt`), b[1]); k >= 0 {
		return append(dst, "\"\\/\b\f\n\r\t"[k]), 2
	}
	return append(dst, b[:2]...), 2
}

func appendUnicode(dst, b []byte) ([]byte, int) {
	r, ok := hex4(b)
	if !ok {
		return append(dst, b[:2]...), 2
	}
	if !utf16.IsSurrogate(r) {
		return utf8.AppendRune(dst, r), 6
	}
	if low, ok := hex4(b[6:]); ok {
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return utf8.AppendRune(dst, pair), 12
		}
	}
	return utf8.AppendRune(dst, utf8.RuneError), 6
}

// hex4 reads the escape \uXXXX at the start of b.
func hex4(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range b[2:6] {
		d, ok := hexDigit(c)
		if !ok {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}
