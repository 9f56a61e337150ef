package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/tooltrail/tooltrail/internal/config"
	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/seal/witness"
)

// A trust is what a verification relies on.
type trust struct {
	keys, erasers []string
	policy        *witness.Policy // nil where no witness is asked for
}

// trust collects the keys that are trusted. dirs are the trails of the home
// that are to be verified.
func (a *app) trust(f *verifyFlags, home string, dirs []string) (*trust, error) {
	policy, err := readPolicy(f.policy)
	if err != nil {
		return nil, err
	}
	t := &trust{policy: policy}
	if policy != nil {
		t.add(policy.Logs())
	}
	for _, k := range f.keys {
		vkeys, err := readKeys(k)
		if err != nil {
			return nil, err
		}
		t.add(vkeys)
	}
	r, err := a.keyRing(home)
	if err != nil {
		return nil, err
	}
	if f.homeKey {
		keys, err := r.Existing()
		if err != nil {
			return nil, a.noKey(r, err)
		}
		for _, k := range keys {
			t.add([]string{k.VKey()})
		}
		fmt.Fprintln(a.stderr, "trusting the key that lies beside the trails: who can change them can change it too")
	}
	if len(t.keys) == 0 && !f.homeKey {
		pinned, err := r.Trusted()
		if err != nil {
			return nil, &usageError{Err: err, Hint: "--key KEY"}
		}
		t.add(pinned)
	}
	if len(t.keys) == 0 {
		return nil, noTrust(r, home, dirs)
	}
	return t, nil
}

// noTrust says that no key is trusted for a home. Where its trails are copies
// of another's, that one's key is named.
func noTrust(r *config.KeyRing, home string, dirs []string) error {
	err := &usageError{Err: fmt.Errorf("no key is trusted for %s", home),
		Hint: "--key KEY; 'tooltrail key show' prints it on the machine that recorded"}
	pins, _ := config.ReadPins(r.Pins)
	for _, p := range pins {
		name, _ := seal.VKeyName(p.VKey)
		for _, dir := range dirs {
			if strings.HasPrefix(originOf(dir), name+"/") && !strings.HasSuffix(name, "/eraser") {
				err.Hint = fmt.Sprintf("--key %s, the key of %s, if it was copied or moved from there", p.VKey, p.Home)
				return err
			}
		}
	}
	return err
}

// add sorts keys by what they are for.
func (t *trust) add(vkeys []string) {
	for _, k := range vkeys {
		if name, _ := seal.VKeyName(k); strings.HasSuffix(name, "/eraser") {
			t.erasers = append(t.erasers, k)
			continue
		}
		t.keys = append(t.keys, k)
	}
}

// readKeys takes a public key, or a file with one in each line.
func readKeys(arg string) ([]string, error) {
	if _, err := seal.VKeyName(arg); err == nil {
		return []string{arg}, nil
	}
	text, err := os.ReadFile(arg)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) || strings.Contains(arg, "+") {
			return nil, &usageError{Err: fmt.Errorf("--key %q is neither a public key nor a file", arg),
				Hint: "'tooltrail key show' prints the key on the machine that recorded"}
		}
		return nil, err
	}
	var vkeys []string
	for i, line := range strings.Split(string(text), "\n") {
		vkey, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if vkey == "" || vkey[0] == '#' {
			continue
		}
		if _, err := seal.VKeyName(vkey); err != nil {
			return nil, &usageError{Err: fmt.Errorf("%s, line %d: %w", arg, i+1, err)}
		}
		vkeys = append(vkeys, vkey)
	}
	return vkeys, nil
}
