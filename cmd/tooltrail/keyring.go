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
	var exposed *config.ExposedError
	var pin *config.PinError
	var shared *config.SharedKeyError
	switch {
	case errors.As(err, &exposed):
		return "chmod 600 " + quotePath(exposed.Path) + ", and make another key if somebody may have read it"
	case errors.As(err, &pin) && errors.Is(err, fs.ErrPermission):
		return "name a folder for settings that you can write in " + configVariable
	case errors.As(err, &pin):
		return "correct the file"
	case errors.As(err, &shared):
		return "name another folder for this home's keys in TOOLTRAIL_KEYS; if the home was moved, correct its path in trusted-keys"
	case errors.Is(err, fs.ErrPermission):
		return "name a folder for the keys that you can write in TOOLTRAIL_KEYS"
	case errors.Is(err, fs.ErrNotExist):
		return "tooltrail key new, or record something first"
	}
	return "put the key back from a copy"
}
