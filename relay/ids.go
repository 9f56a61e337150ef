package relay

import (
	"math"
	"strconv"

	"github.com/tooltrail/tooltrail/audit"
)

// maxID is how much of an id is kept, in bytes.
const maxID = 1 << 10

// appendKey appends what identifies a JSON-RPC id within a direction: a
// number's text as it stands, or a quote and a string's value, so that 1 and
// "1" differ. It appends nothing for an id that cannot be answered: one that
// is missing, null, or neither number nor string.
func appendKey(dst []byte, m *message, f field) []byte {
	switch c := m.kind(f); {
	case c == '"':
		dst = append(dst, '"')
		if b := m.inner(f); escaped(b) {
			dst = appendUnescaped(dst, b)
		} else {
			dst = append(dst, b...)
		}
	case c == '-' || '0' <= c && c <= '9':
		dst = append(dst, m.raw(f)...)
	default:
		return dst
	}
	if len(dst) > maxID || !m.whole(f) {
		dst = strconv.AppendInt(dst[:min(len(dst), maxID)], m.size(f), 10)
	}
	return dst
}

// requestID returns the JSON text of the id that a key identifies.
func requestID(key string) string {
	if key == "" || key[0] != '"' {
		return key
	}
	return audit.StringID(key[1:])
}

// isPlain says whether a key is a number that every parser returns as it came.
func isPlain(key []byte) bool {
	if len(key) == 0 || len(key) > 15 || key[0] == '0' && len(key) > 1 {
		return false
	}
	for _, c := range key {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// aliases returns the texts under which a number may come back: as a parser
// with double precision prints it, or one with 64-bit integers. 1e2 comes back
// as 100, and from Go's SDK 9.5 as 9.
func aliases(key []byte) (list [2]string) {
	if len(key) == 0 || key[0] == '"' || isPlain(key) {
		return list
	}
	x, err := strconv.ParseFloat(string(key), 64)
	if err != nil {
		return list
	}
	return [2]string{canonical(x), strconv.FormatInt(int64(x), 10)}
}

func canonical(x float64) string {
	if x == math.Trunc(x) && math.Abs(x) < 1<<53 {
		return strconv.FormatInt(int64(x), 10)
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}
