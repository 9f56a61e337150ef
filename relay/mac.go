package relay

import (
	"crypto/hmac"
	"crypto/sha256"
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
