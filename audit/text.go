package audit

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// StringID returns the JSON text of a JSON-RPC id that is a string, for
// [CallEvent.RequestID]: StringID("1") is `"1"`.
func StringID(id string) string {
	text, _ := appendString(nil, id)
	return string(text)
}

// maxNumber is the longest JSON-RPC id that is kept as a number, in bytes.
const maxNumber = 32

// requestID appends the JSON text of a JSON-RPC id. Text that is neither a
// string nor a number, or a number that encoding/json would refuse, is written
// as a string.
func (e *encoder) requestID(dst []byte, text string) []byte {
	if isDigits(text) || isNumber(text) {
		return append(dst, text...)
	}
	var id string
	if strings.HasPrefix(text, `"`) && json.Unmarshal([]byte(text), &id) == nil {
		return e.string(dst, id)
	}
	return e.string(dst, text)
}

// isDigits reports whether s is a positive integer: nearly every id is.
func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != "" && s[0] != '0' && len(s) <= maxNumber
}

// isNumber reports whether s is a number in JSON's grammar that is not out of
// a float's range.
func isNumber(s string) bool {
	if s == "" || len(s) > maxNumber || s[0] != '-' && (s[0] < '0' || s[0] > '9') {
		return false
	}
	var n float64
	return json.Unmarshal([]byte(s), &n) == nil
}

// content appends captured JSON as a JSON value on one line, with everything
// escaped that a string of ours would have escaped. Text that is not JSON, or
// that encoding/json would refuse, is written as a string.
func (e *encoder) content(dst []byte, text string) []byte {
	var value any
	if json.Unmarshal([]byte(text), &value) != nil {
		return e.string(dst, text)
	}
	for i := 0; i < len(text); {
		if text[i] != '"' {
			if c := text[i]; c > ' ' {
				dst = append(dst, c)
			}
			i++
			continue
		}
		n := closingQuote(text[i:]) + 1
		dst = appendEscapedAgain(dst, text[i:i+n])
		i += n
	}
	return dst
}

// appendEscapedAgain appends a valid JSON string, quotes included, and escapes
// the characters in it that may stand in JSON but not in a line of ours.
func appendEscapedAgain(dst []byte, s string) []byte {
	for _, r := range s {
		switch {
		case r == 0x7f || r >= utf8.RuneSelf && deceptive(r):
			dst = appendEscapedRune(dst, r)
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}
