package main

import (
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/tooltrail/tooltrail/internal/config"
)

// keyRing returns where the keys of a home are: in $TOOLTRAIL_KEYS, else in
// the home. Public keys that are trusted are kept with the user's settings, in
// $XDG_CONFIG_HOME or ~/.config, on Windows in %AppData%.
func (a *app) keyRing(home string) (*config.KeyRing, error) {
	home, err := filepath.Abs(home)
	if err != nil {
		return nil, err
	}
	r := &config.KeyRing{Home: home, Dir: a.env("TOOLTRAIL_KEYS")}
	settings := a.env(configVariable)
	if !filepath.IsAbs(settings) {
		user, err := a.userHome()
		if err != nil || user == "" {
			return r, nil // nothing is kept; --key still works
		}
		settings = filepath.Join(append([]string{user}, configUnderHome...)...)
	}
	r.Pins = filepath.Join(settings, "tooltrail", "trusted-keys")
	if r.Dir != "" {
		r.Dir, err = filepath.Abs(r.Dir)
	}
	return r, err
}

// keyHint says what to do where a home's keys cannot be had.
func keyHint(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "name a folder for the keys that you can write in TOOLTRAIL_KEYS, or record without a seal: --no-seal"
	case errors.Is(err, fs.ErrNotExist):
		return "tooltrail key new, or record something first"
	}
	return "record without a seal: --no-seal"
}
