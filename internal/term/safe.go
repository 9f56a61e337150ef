package term

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Safe returns s on one line and without power over a terminal. What is not a
// visible character is written as an escape: control characters and bytes that
// are not UTF-8 as \xNN, characters that are invisible, reorder text, or have
// no agreed look (bidirectional controls, zero-width and private characters,
// unassigned ones, spaces other than U+0020) as \uNNNN or \UNNNNNNNN.
//
// It is for eyes, not for reading back: a backslash stands as it is. Safe of a
// safe string is the string itself.
func Safe(s string) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case visible(r):
			b.WriteString(s[i : i+size])
		default:
			escape(&b, r)
		}
		i += size
	}
	return b.String()
}

// isPlain reports whether s is printable ASCII throughout.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func escape(b *strings.Builder, r rune) {
	switch {
	case r < 0x80:
		fmt.Fprintf(b, `\x%02x`, r)
	case r < 0x10000:
		fmt.Fprintf(b, `\u%04x`, r)
	default:
		fmt.Fprintf(b, `\U%08x`, r)
	}
}

// visible reports whether r shows as itself. The characters of hidden are
// letters, marks and symbols by Unicode's categories, but blank on screen.
func visible(r rune) bool {
	return unicode.IsPrint(r) && !unicode.Is(hidden, r)
}

// hidden are printable characters without a shape: the members of
// Default_Ignorable_Code_Point (Unicode 15.0, DerivedCoreProperties.txt) that
// are letters or marks, except U+FE0F, which makes a symbol an emoji; and the
// empty braille pattern.
var hidden = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x034f, Hi: 0x034f, Stride: 1}, // combining grapheme joiner
		{Lo: 0x115f, Hi: 0x1160, Stride: 1}, // Hangul fillers
		{Lo: 0x17b4, Hi: 0x17b5, Stride: 1}, // Khmer inherent vowels
		{Lo: 0x180b, Hi: 0x180f, Stride: 1}, // Mongolian variation selectors
		{Lo: 0x2800, Hi: 0x2800, Stride: 1}, // empty braille pattern
		{Lo: 0x3164, Hi: 0x3164, Stride: 1}, // Hangul filler
		{Lo: 0xfe00, Hi: 0xfe0e, Stride: 1}, // variation selectors
		{Lo: 0xffa0, Hi: 0xffa0, Stride: 1}, // half-width Hangul filler
	},
	R32: []unicode.Range32{
		{Lo: 0xe0100, Hi: 0xe01ef, Stride: 1}, // variation selectors, which can carry hidden text
	},
}
