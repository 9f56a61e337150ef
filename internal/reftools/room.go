package reftools

import "unicode/utf8"

// frame is more than what the results here need around their texts.
const frame = 256

// quotedLen is how many bytes encoding/json writes for a string, without the
// quotes and without escaping HTML.
func quotedLen(text string) int {
	n := 0
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		n += quotedRune(r, size)
		i += size
	}
	return n
}

func quotedRune(r rune, size int) int {
	switch {
	case r == utf8.RuneError && size == 1, r == '\u2028', r == '\u2029':
		return 6
	case r == '"', r == '\\', r == '\n', r == '\r', r == '\t', r == '\b', r == '\f':
		return 2
	case r < ' ':
		return 6
	}
	return size
}

// fit returns as much of the beginning of text as quotes to room bytes.
func fit(text string, room int) string {
	for i, r := range text {
		if room -= quotedRune(r, utf8.RuneLen(r)); room < 0 {
			return text[:i]
		}
	}
	return text
}
