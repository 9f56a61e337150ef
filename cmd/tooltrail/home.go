package main

import (
	"errors"
	"path/filepath"

	"github.com/tooltrail/tooltrail/internal/config"
	"github.com/tooltrail/tooltrail/trail"
)

// home returns the folder that --trail names, as an absolute path. Where the
// flag is "", it is $TOOLTRAIL_DIR, else tooltrail in the folder that the
// system has for state: $XDG_STATE_HOME or ~/.local/state, on Windows
// %LocalAppData%.
func (a *app) home(flag string) (string, error) {
	dir := flag
	if dir == "" {
		dir = a.env("TOOLTRAIL_DIR")
	}
	if dir != "" {
		return filepath.Abs(dir)
	}
	state, err := a.stateDir()
	if err != nil {
		return "", &hintError{err, "name a folder with --trail DIR or TOOLTRAIL_DIR"}
	}
	return filepath.Join(state, "tooltrail"), nil
}

// homeHint says what to do where a home cannot be recorded into.
func homeHint(err error) string {
	var key *config.KeyError
	var exposed *config.ExposedError
	switch {
	case errors.As(err, &key):
		return keyHint(err) + "; or record without a seal: --no-seal"
	case errors.As(err, &exposed):
		return keyHint(err)
	case errors.Is(err, trail.ErrNewerFormat):
		return "a newer tooltrail, or another folder with --trail DIR"
	}
	return "name a folder that you can write with --trail DIR"
}

// A relative $XDG_STATE_HOME counts for nothing, as the XDG Base Directory
// Specification says.
func (a *app) stateDir() (string, error) {
	if dir := a.env(stateVariable); filepath.IsAbs(dir) {
		return dir, nil
	}
	home, err := a.userHome()
	if err != nil || home == "" {
		return "", errors.New("there is no home directory to look for trails in")
	}
	return filepath.Join(append([]string{home}, stateUnderHome...)...), nil
}
