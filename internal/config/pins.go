package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
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

// A PinError says that the file of the trusted keys cannot be used.
type PinError struct {
	Path string
	Err  error
}

// Error names the file and the reason.
func (e *PinError) Error() string { return fmt.Sprintf("the trusted keys in %s: %v", e.Path, e.Err) }

// Unwrap returns the reason.
func (e *PinError) Unwrap() error { return e.Err }

// A SharedKeyError says that a log key is that of another home. Two homes with
// one key would have two logs of one name.
type SharedKeyError struct{ Key, Home string }

// Error names the key's file and its home.
func (e *SharedKeyError) Error() string {
	return fmt.Sprintf("the key %s is that of %s", e.Key, e.Home)
}

// ReadPins returns the trusted keys in a file: in each line a key, a space and
// the home that it is for; lines that begin with # say nothing. Where there is
// no file there are none. A file that others may write is not trusted.
func ReadPins(path string) ([]Pin, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &PinError{path, err}
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0 {
		return nil, &PinError{path, fmt.Errorf("others may write them (mode %04o): chmod 600 %s", info.Mode().Perm(), path)}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, &PinError{path, err}
	}
	var pins []Pin
	for i, line := range strings.Split(string(text), "\n") {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		vkey, home := line, ""
		if end := strings.IndexAny(line, " \t"); end > 0 {
			vkey, home = line[:end], strings.TrimSpace(line[end:])
		}
		if _, err := seal.VKeyName(vkey); err != nil {
			return nil, &PinError{path, fmt.Errorf("line %d: %w", i+1, err)}
		}
		pins = append(pins, Pin{vkey, home})
	}
	return pins, nil
}

// pinsOf returns the keys that are pinned for the home.
func (r *KeyRing) pinsOf(pins []Pin) (vkeys []string) {
	home := realPath(r.Home)
	for _, p := range pins {
		if p.Home != "" && realPath(p.Home) == home {
			vkeys = append(vkeys, p.VKey)
		}
	}
	return vkeys
}

// Trusted returns the keys that are pinned for the home. Only where there are
// none, it returns those that are pinned for any: a key that somebody has put
// in the place of the home's is not to be trusted because it is another's.
func (r *KeyRing) Trusted() (vkeys []string, err error) {
	if r.Pins == "" {
		return nil, nil
	}
	pins, err := ReadPins(r.Pins)
	if err != nil {
		return nil, err
	}
	if vkeys = r.pinsOf(pins); len(vkeys) > 0 {
		return vkeys, nil
	}
	for _, p := range pins {
		if p.Home == "" {
			vkeys = append(vkeys, p.VKey)
		}
	}
	return vkeys, nil
}

// Replaced reports whether other keys are pinned for the home, and not its log
// key: then somebody has put it in their place.
func (r *KeyRing) Replaced(key *seal.Key) bool {
	if r.Pins == "" {
		return false
	}
	pins, err := ReadPins(r.Pins)
	if err != nil {
		return false
	}
	vkeys := r.pinsOf(pins)
	return len(vkeys) > 0 && !slices.Contains(vkeys, key.VKey())
}

// adopt pins keys that lie in a folder of their own, which the user has named,
// when they serve their first home. Keys in a home are pinned when they are
// made, and never later: somebody else may have put them there.
func (r *KeyRing) adopt(keys []*seal.Key) error {
	if r.Dir == "" || r.Pins == "" {
		return nil
	}
	pins, err := ReadPins(r.Pins)
	if err != nil {
		return err
	}
	for _, k := range keys {
		i := slices.IndexFunc(pins, func(p Pin) bool { return p.VKey == k.VKey() && p.Home != "" })
		switch {
		case i < 0:
			if err := r.pin(k.VKey()); err != nil {
				return err
			}
		case !slices.Contains(r.pinsOf(pins), k.VKey()):
			return &SharedKeyError{r.LogKeyPath(), pins[i].Home}
		}
	}
	return nil
}

// pin adds a public key of the home to the trusted ones, durably.
func (r *KeyRing) pin(vkey string) error {
	if r.Pins == "" {
		return nil
	}
	pins, err := ReadPins(r.Pins)
	if err != nil {
		return err
	}
	if slices.Contains(r.pinsOf(pins), vkey) {
		return nil
	}
	home := realPath(r.Home)
	if strings.ContainsAny(home, "\r\n") {
		return &PinError{r.Pins, fmt.Errorf("the path %q does not fit in a line", home)}
	}
	if err := appendPin(r.Pins, vkey+" "+home+"\n"); err != nil {
		return &PinError{r.Pins, err}
	}
	return nil
}

func appendPin(path, line string) error {
	dir := filepath.Dir(path)
	if err := durable.Mkdir(dir); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_RDWR, durable.FileMode)
	if err != nil {
		return err
	}
	last := make([]byte, 1)
	switch info, err := f.Stat(); {
	case err != nil:
		f.Close()
		return err
	case info.Size() == 0:
		line = pinsHeader + line
	default:
		if _, err := f.ReadAt(last, info.Size()-1); err == nil && last[0] != '\n' {
			line = "\n" + line // somebody's editor left the last line open
		}
	}
	_, err = f.WriteString(line)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return durable.SyncDir(dir)
}

// realPath returns the one path of what may be called by several. What is not
// there yet has the path that it will have.
func realPath(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	rest := ""
	for at := path; ; {
		if found, err := filepath.EvalSymlinks(at); err == nil {
			return filepath.Join(found, rest)
		}
		if at == filepath.Dir(at) {
			return path
		}
		rest = filepath.Join(filepath.Base(at), rest)
		at = filepath.Dir(at)
	}
}
