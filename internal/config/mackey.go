package config

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tooltrail/tooltrail/internal/durable"
)

// macKeyBytes is the size of the key: HMAC-SHA256 gains nothing from a longer
// one than its output (RFC 2104, section 3).
const macKeyBytes = 32

// macKey returns the home's key for digests of arguments and results, in
// keys/mac.key as hexadecimal digits. It is made on first use; of several
// processes that make it at once, one wins and all return its key.
func macKey(home string) ([]byte, error) {
	dir := filepath.Join(home, "keys")
	path := filepath.Join(dir, "mac.key")
	key, err := readMACKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := durable.Mkdir(dir); err != nil {
		return nil, err
	}
	if err := makeMACKey(dir, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return readMACKey(path)
}

func readMACKey(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != macKeyBytes {
		return nil, fmt.Errorf("%s does not hold %d hexadecimal digits", path, 2*macKeyBytes)
	}
	return key, nil
}

// makeMACKey writes a fresh key beside path and links it there, so that path
// never holds half a key and never changes.
func makeMACKey(dir, path string) (err error) {
	key := make([]byte, macKeyBytes)
	rand.Read(key)
	f, err := os.CreateTemp(dir, "mac.key.*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = fmt.Fprintln(f, hex.EncodeToString(key))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return durable.SyncDir(dir)
}
