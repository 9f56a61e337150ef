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

// requestID appends the JSON text of a JSON-RPC id. Text that is neither a
// number nor a string is written as a string.
func (e *encoder) requestID(dst []byte, text string) []byte {
	if isDigits(text) || isNumber(text) {
		return append(dst, text...)
	}
	var id string
	if strings.HasPrefix(text, `"`) && json.Unmarshal([]byte(text), &id) == nil {
		e.invalid = e.invalid || !utf8.ValidString(text)
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
	return s != "" && s[0] != '0'
}

// isNumber reports whether s is a number in JSON's grammar.
func isNumber(s string) bool {
	if s == "" || s[0] != '-' && (s[0] < '0' || s[0] > '9') {
		return false
	}
	for i := range len(s) {
		if !strings.ContainsRune("0123456789+-.eE", rune(s[i])) {
			return false
		}
	}
	return json.Valid([]byte(s))
}

// content appends captured JSON as a JSON value on one line, with everything
// escaped that a string of ours would have escaped. Text that is not JSON,
// perhaps because it was cut, is written as a string.
func (e *encoder) content(dst []byte, text string) []byte {
	if !utf8.ValidString(text) || !json.Valid([]byte(text)) {
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
