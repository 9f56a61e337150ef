package dispatch

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"sync"
)

// newMACs returns a pool of keyed digests (HMAC-SHA256, RFC 2104), nil where
// there is no key.
func newMACs(key []byte) *sync.Pool {
	if len(key) == 0 {
		return nil
	}
	return &sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}
}

// mac returns the keyed digest of b in lower-case hex, "" without a key.
func (d *Dispatcher) mac(b []byte) string {
	if d.macs == nil {
		return ""
	}
	h := d.macs.Get().(hash.Hash)
	defer d.macs.Put(h)
	h.Reset()
	h.Write(b)
	var sum [sha256.Size]byte
	return hex.EncodeToString(h.Sum(sum[:0]))
}
