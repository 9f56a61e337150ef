package term

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// SafeJSON returns JSON text on one line and without power over a terminal:
// what [Safe] would escape stands as \uNNNN, which means the same inside of a
// string. White space becomes a space, and a byte that is not UTF-8 \ufffd. Of
// valid JSON it makes valid JSON with the same value, except that such bytes
// are lost.
func SafeJSON(s string) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '\t' || r == '\r' || r == '\n':
			b.WriteByte(' ') // between tokens; strings may not hold them
		case r == utf8.RuneError && size == 1:
			b.WriteString(`\ufffd`)
		case visible(r):
			b.WriteString(s[i : i+size])
		default:
			escapeJSON(&b, r)
		}
		i += size
	}
	return b.String()
}

func escapeJSON(b *strings.Builder, r rune) {
	if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
		fmt.Fprintf(b, `\u%04x\u%04x`, high, low)
		return
	}
	fmt.Fprintf(b, `\u%04x`, r)
}
