package config

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"path/filepath"
)

// macKeyBytes is the size of the key: HMAC-SHA256 gains nothing from a longer
// one than its output (RFC 2104, section 3).
const macKeyBytes = 32

// macKey returns the home's key for digests of arguments and results, in
// keys/mac.key as hexadecimal digits. It is made on first use.
func macKey(home string) ([]byte, error) {
	path := filepath.Join(home, "keys", "mac.key")
	text, err := secret(path, func() (string, error) {
		key := make([]byte, macKeyBytes)
		rand.Read(key)
		return hex.EncodeToString(key), nil
	})
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(text)
	if err != nil || len(key) != macKeyBytes {
		return nil, fmt.Errorf("%s does not hold %d hexadecimal digits", path, 2*macKeyBytes)
	}
	return key, nil
}
