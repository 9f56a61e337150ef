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
	"time"

	"github.com/tooltrail/tooltrail/internal/durable"
	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/trail"
)

// A KeyRing is where a home's signing keys are, and where the user keeps the
// public keys that are trusted. Several processes may use one at once.
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
	ringLockName  = "lock" // held while a key is made or replaced
)

func (r *KeyRing) dir() string {
	if r.Dir != "" {
		return r.Dir
	}
	return filepath.Join(r.Home, "keys")
}

func (r *KeyRing) path(name string) string { return filepath.Join(r.dir(), name) }

// LogKeyPath returns the path of the log key.
func (r *KeyRing) LogKeyPath() string { return r.path(logKeyName) }

// LogKeys returns the keys that sign, the current one first. The log key is
// made on first use, and pinned.
func (r *KeyRing) LogKeys() ([]*seal.Key, error) {
	keys, err := r.Existing()
	if !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = r.adopt(keys)
		}
		return keys, err
	}
	if _, err := r.New(); err != nil && !errors.Is(err, ErrKeyExists) {
		return nil, err
	}
	return r.Existing()
}

// Existing returns the keys that sign, and makes none: where there is no log
// key the error matches fs.ErrNotExist.
func (r *KeyRing) Existing() ([]*seal.Key, error) {
	key, err := r.read(logKeyName)
	if err != nil {
		return nil, err
	}
	old, err := r.read(oldLogKeyName)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && old.VKey() == key.VKey():
		return []*seal.Key{key}, nil
	case err != nil:
		return nil, err
	}
	return []*seal.Key{key, old}, nil
}

// EraserKey returns the key that orders lines to be erased. It is made on
// first use, and pinned.
func (r *KeyRing) EraserKey() (*seal.Key, error) {
	keys, err := r.LogKeys()
	if err != nil {
		return nil, err
	}
	if _, err := r.makeKey(eraserKeyName, keys[0].Name+"/eraser"); err != nil && !errors.Is(err, ErrKeyExists) {
		return nil, err
	}
	return r.read(eraserKeyName)
}

// ErrKeyExists says that there is such a key already.
var ErrKeyExists = errors.New("there is a key already")

// New makes the log key, and pins it. Where there is one the error matches
// ErrKeyExists.
func (r *KeyRing) New() (*seal.Key, error) { return r.makeKey(logKeyName, newLogKeyName()) }

// makeKey makes a key. It is pinned before it is there to sign with, so that
// no trail is ever sealed with a key of ours that its user does not trust.
func (r *KeyRing) makeKey(file, name string) (key *seal.Key, err error) {
	path := r.path(file)
	err = r.locked(func() error {
		if _, err := os.Lstat(path); err == nil {
			return fmt.Errorf("%w: %s", ErrKeyExists, path)
		}
		if key, err = seal.NewKey(name); err != nil {
			return err
		}
		if err := r.pin(key.VKey()); err != nil {
			return err
		}
		return makeSecret(path, key.Secret())
	})
	return key, err
}

// ErrRotating says that an earlier rotation is not finished.
var ErrRotating = errors.New("the last rotation is not finished")

// Rotate makes another log key of the same name, and pins it. Until
// FinishRotation both sign.
func (r *KeyRing) Rotate() (fresh *seal.Key, err error) {
	err = r.locked(func() error {
		keys, err := r.Existing()
		switch {
		case err != nil:
			return err
		case len(keys) > 1:
			return ErrRotating
		}
		if fresh, err = seal.NewKey(keys[0].Name); err != nil {
			return err
		}
		if err := r.pin(fresh.VKey()); err != nil {
			return err
		}
		// A rotation that was cut short has left this very file.
		if err := makeSecret(r.path(oldLogKeyName), keys[0].Secret()); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		return durable.WriteFile(r.LogKeyPath(), []byte(fresh.Secret()+"\n"))
	})
	return fresh, err
}

// FinishRotation erases the old key. It reports whether there was one. What
// only the old key has signed can then not be continued.
func (r *KeyRing) FinishRotation() (was bool, err error) {
	err = r.locked(func() error {
		err := eraseSecret(r.path(oldLogKeyName))
		was = err == nil
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	return was, err
}

// lockWait is how long a process waits for another that makes a key.
const lockWait = 10 * time.Second

// locked does something while no other process makes or replaces a key.
func (r *KeyRing) locked(do func() error) error {
	if err := durable.Mkdir(r.dir()); err != nil {
		return err
	}
	deadline := time.Now().Add(lockWait)
	for {
		lock, err := durable.TakeLock(r.path(ringLockName))
		var held *durable.HeldError
		switch {
		case errors.As(err, &held) && time.Now().Before(deadline):
			time.Sleep(5 * time.Millisecond)
			continue
		case err != nil:
			return err
		}
		return errors.Join(do(), lock.Close())
	}
}

func (r *KeyRing) read(file string) (*seal.Key, error) {
	text, err := readSecret(r.path(file))
	if err != nil {
		return nil, err
	}
	key, err := seal.ParseKey(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.path(file), err)
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
