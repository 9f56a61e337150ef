package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tooltrail/tooltrail/internal/durable"
	"github.com/tooltrail/tooltrail/seal"
)

// A Pin is a public key that the user trusts, for what was recorded in a home.
type Pin struct {
	VKey string
	Home string // the home's directory on this machine; "" for any
}

const pinsHeader = "# Public keys that tooltrail verify trusts: KEY HOME\n"

// ReadPins returns the trusted keys in a file; none where there is no file.
func ReadPins(path string) ([]Pin, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var pins []Pin
	for i, line := range strings.Split(string(text), "\n") {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		vkey, home, _ := strings.Cut(line, " ")
		if _, err := seal.VKeyName(vkey); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", path, i+1, err)
		}
		pins = append(pins, Pin{vkey, strings.TrimSpace(home)})
	}
	return pins, nil
}

// pin adds a public key of the home to the trusted ones.
func (r *KeyRing) pin(vkey string) error {
	if r.Pins == "" {
		return nil
	}
	pins, err := ReadPins(r.Pins)
	if err != nil {
		return err
	}
	for _, p := range pins {
		if p.VKey == vkey && p.Home == r.Home {
			return nil
		}
	}
	if err := durable.Mkdir(filepath.Dir(r.Pins)); err != nil {
		return err
	}
	f, err := os.OpenFile(r.Pins, os.O_CREATE|os.O_APPEND|os.O_WRONLY, durable.FileMode)
	if err != nil {
		return err
	}
	line := vkey + " " + r.Home + "\n"
	if info, err := f.Stat(); err == nil && info.Size() == 0 {
		line = pinsHeader + line
	}
	_, err = f.WriteString(line)
	return errors.Join(err, f.Sync(), f.Close())
}

// Trusted returns the keys that are pinned for the home, and those that are
// for any.
func (r *KeyRing) Trusted() (vkeys []string, err error) {
	if r.Pins == "" {
		return nil, nil
	}
	pins, err := ReadPins(r.Pins)
	if err != nil {
		return nil, err
	}
	for _, p := range pins {
		if p.Home == "" || p.Home == r.Home {
			vkeys = append(vkeys, p.VKey)
		}
	}
	return vkeys, nil
}
