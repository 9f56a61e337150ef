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
	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/trail"
)

// A KeyRing is where a home's signing keys are, and where the user keeps the
// public keys that are trusted.
type KeyRing struct {
	// Dir is the folder of the keys. "" means keys in the home.
	Dir string
	// Home is the home's directory.
	Home string
	// Pins is the file of the trusted keys. "" means none is kept.
	Pins string
}

// The files of a key ring.
const (
	logKeyName    = "log.key"
	oldLogKeyName = "log.key.old" // signs too while a rotation is not finished
	eraserKeyName = "eraser.key"
)

func (r *KeyRing) path(name string) string {
	if r.Dir != "" {
		return filepath.Join(r.Dir, name)
	}
	return filepath.Join(r.Home, "keys", name)
}

// LogKeyPath returns the path of the log key.
func (r *KeyRing) LogKeyPath() string { return r.path(logKeyName) }

// LogKeys returns the keys that sign, the current one first. The log key is
// made on first use, and pinned.
func (r *KeyRing) LogKeys() ([]*seal.Key, error) {
	key, made, err := r.key(logKeyName, newLogKeyName)
	if err != nil {
		return nil, err
	}
	if made {
		if err := r.pin(key.VKey()); err != nil {
			return nil, err
		}
	}
	keys := []*seal.Key{key}
	old, err := r.read(oldLogKeyName)
	switch {
	case err == nil:
		keys = append(keys, old)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	return keys, nil
}

// Existing returns the keys that sign, and makes none: where there is no log
// key the error matches fs.ErrNotExist.
func (r *KeyRing) Existing() ([]*seal.Key, error) {
	if _, err := r.read(logKeyName); err != nil {
		return nil, err
	}
	return r.LogKeys()
}

// EraserKey returns the key that orders lines to be erased. It is made on
// first use, and pinned.
func (r *KeyRing) EraserKey() (*seal.Key, error) {
	keys, err := r.LogKeys()
	if err != nil {
		return nil, err
	}
	key, made, err := r.key(eraserKeyName, func() string { return keys[0].Name + "/eraser" })
	if err == nil && made {
		err = r.pin(key.VKey())
	}
	return key, err
}

// ErrKeyExists says that there is a log key already.
var ErrKeyExists = errors.New("there is a log key already")

// New makes the log key.
func (r *KeyRing) New() (*seal.Key, error) {
	key, made, err := r.key(logKeyName, newLogKeyName)
	if err == nil && !made {
		err = fmt.Errorf("%w: %s", ErrKeyExists, r.LogKeyPath())
	}
	if err == nil {
		err = r.pin(key.VKey())
	}
	return key, err
}

// ErrRotating says that an earlier rotation is not finished.
var ErrRotating = errors.New("the last rotation is not finished")

// Rotate makes another log key of the same name. Until FinishRotation both
// sign.
func (r *KeyRing) Rotate() (*seal.Key, error) {
	old, err := r.read(logKeyName)
	if err != nil {
		return nil, err
	}
	if _, err := os.Lstat(r.path(oldLogKeyName)); err == nil {
		return nil, ErrRotating
	}
	fresh, err := seal.NewKey(old.Name)
	if err != nil {
		return nil, err
	}
	if err := r.pin(fresh.VKey()); err != nil {
		return nil, err
	}
	if err := makeSecret(r.path(oldLogKeyName), old.Secret()); err != nil {
		return nil, err
	}
	return fresh, durable.WriteFile(r.path(logKeyName), []byte(fresh.Secret()+"\n"))
}

// FinishRotation erases the old key. It reports whether there was one.
func (r *KeyRing) FinishRotation() (bool, error) {
	err := os.Remove(r.path(oldLogKeyName))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (r *KeyRing) key(file string, name func() string) (*seal.Key, bool, error) {
	text, made, err := secret(r.path(file), func() (string, error) {
		key, err := seal.NewKey(name())
		if err != nil {
			return "", err
		}
		return key.Secret(), nil
	})
	if err != nil {
		return nil, false, fmt.Errorf("config: %w", err)
	}
	key, err := seal.ParseKey(text)
	if err != nil {
		return nil, false, fmt.Errorf("config: %s: %w", r.path(file), err)
	}
	return key, made, nil
}

func (r *KeyRing) read(file string) (*seal.Key, error) {
	text, err := readSecret(r.path(file))
	if err != nil {
		return nil, err
	}
	key, err := seal.ParseKey(text)
	if err != nil {
		return nil, fmt.Errorf("config: %s: %w", r.path(file), err)
	}
	return key, nil
}

func newLogKeyName() string { return keyName("tooltrail") }

// keyName names a key so that two are not mistaken for each other: by the
// machine, and by six random digits.
func keyName(what string) string {
	host, _ := os.Hostname()
	host, _, _ = strings.Cut(host, ".")
	tail := make([]byte, 3)
	rand.Read(tail)
	return what + "/" + trail.SlotName(host) + "-" + hex.EncodeToString(tail)
}
