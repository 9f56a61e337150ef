package relay

import "bytes"

// traceContext reads a W3C traceparent (Trace Context §3.2): version, trace
// id, parent id and flags. It returns "" for one that is not valid.
func traceContext(b []byte) (trace, span string) {
	const size = 2 + 1 + 32 + 1 + 16 + 1 + 2
	if len(b) < size || b[2] != '-' || b[35] != '-' || b[52] != '-' || len(b) > size && b[size] != '-' {
		return "", ""
	}
	id, parent := b[3:35], b[36:52]
	if !isLowerHex(b[:2]) || string(b[:2]) == "ff" || !isID(id) || !isID(parent) || !isLowerHex(b[53:55]) {
		return "", ""
	}
	return string(id), string(parent)
}

// isID says whether b is lower-case hex and not all zeros.
func isID(b []byte) bool { return isLowerHex(b) && len(bytes.Trim(b, "0")) > 0 }

func isLowerHex(b []byte) bool {
	for _, c := range b {
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'f') {
			return false
		}
	}
	return true
}
