package relay

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
)

// newDigest returns a maker of keyed digests (HMAC-SHA256, RFC 2104), or nil
// where there is no key.
func newDigest(key []byte) func() hash.Hash {
	if len(key) == 0 {
		return nil
	}
	return func() hash.Hash { return hmac.New(sha256.New, key) }
}

// macBytes returns the keyed digest of b in lower-case hex, or "" without a
// key.
func (o *Observer) macBytes(b []byte) string {
	if o.digest == nil {
		return ""
	}
	h, ok := o.digests.Get().(hash.Hash)
	if !ok {
		h = o.digest()
	}
	h.Reset()
	h.Write(b)
	var sum [sha256.Size]byte
	text := hex.EncodeToString(h.Sum(sum[:0]))
	o.digests.Put(h)
	return text
}
