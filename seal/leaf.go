package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"

	"golang.org/x/mod/sumdb/tlog"
)

// LeafHash returns the RFC 6962 leaf hash of a line without its '\n': the
// SHA-256 of a zero byte and the line.
func LeafHash(line []byte) tlog.Hash { return tlog.RecordHash(line) }

// eachLeaf calls f with the hash of every line of buf, which begins with a
// spare byte and goes on with whole lines. The bytes before lines become the
// zero byte that RFC 6962 wants there, so that nothing is copied.
func eachLeaf(buf []byte, f func(tlog.Hash)) {
	for len(buf) > 1 {
		end := 1 + bytes.IndexByte(buf[1:], '\n')
		if end == 0 {
			return
		}
		buf[0] = 0
		f(sha256.Sum256(buf[:end]))
		buf = buf[end:]
	}
}

var stubPrefix = []byte(`{"redacted":"`)

// stubLeaf returns the leaf hash that the stub of an erased line names.
func stubLeaf(line []byte) (tlog.Hash, bool) {
	rest, ok := bytes.CutPrefix(line, stubPrefix)
	end := bytes.IndexByte(rest, '"')
	if !ok || end < 0 {
		return tlog.Hash{}, false
	}
	b, err := base64.StdEncoding.Strict().DecodeString(string(rest[:end]))
	if err != nil || len(b) != tlog.HashSize {
		return tlog.Hash{}, false
	}
	return tlog.Hash(b), true
}
