package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/tooltrail/tooltrail/seal"
)

func newRing(t *testing.T) *KeyRing {
	t.Helper()
	dir := t.TempDir()
	return &KeyRing{Home: filepath.Join(dir, "home"), Pins: filepath.Join(dir, "settings", "trusted-keys")}
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func trusted(t *testing.T, r *KeyRing) []string {
	t.Helper()
	vkeys, err := r.Trusted()
	must(t, err)
	return vkeys
}

func vkeys(keys []*seal.Key) string {
	var names []string
	for _, k := range keys {
		names = append(names, k.VKey())
	}
	return strings.Join(names, " ")
}

func TestOneLogKeyForAll(t *testing.T) {
	r := newRing(t)
	got := make([]string, 20)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			keys, err := r.LogKeys()
			if err != nil {
				t.Error(err)
			}
			got[i] = vkeys(keys)
		})
	}
	wg.Wait()
	for _, vkey := range got {
		if vkey != got[0] || vkey == "" {
			t.Fatalf("keys differ: %q, %q", vkey, got[0])
		}
	}
	if pins := trusted(t, r); len(pins) != 1 || pins[0] != got[0] {
		t.Errorf("pinned are %q, want %q alone", pins, got[0])
	}
	name, err := seal.VKeyName(got[0])
	must(t, err)
	if !strings.HasPrefix(name, "tooltrail/") || len(name) < len("tooltrail/x-000000") {
		t.Errorf("the key is called %q", name)
	}
}

func TestAKeyThatCannotBePinnedIsNotMade(t *testing.T) {
	r := newRing(t)
	must(t, os.WriteFile(filepath.Dir(r.Pins), nil, 0o600)) // a file where the folder should be
	for range 2 {
		var pin *PinError
		if _, err := r.LogKeys(); !errors.As(err, &pin) {
			t.Fatalf("the error is %v", err)
		}
		if _, err := os.Lstat(r.LogKeyPath()); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("there is a key: %v", err)
		}
	}
}

func TestRotationOverlaps(t *testing.T) {
	r := newRing(t)
	if _, err := r.Rotate(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a key: %v", err)
	}
	old, err := r.New()
	must(t, err)
	if _, err := r.New(); !errors.Is(err, ErrKeyExists) {
		t.Errorf("a second key: %v", err)
	}
	fresh, err := r.Rotate()
	must(t, err)
	if fresh.Name != old.Name || fresh.VKey() == old.VKey() {
		t.Errorf("%s became %s", old.VKey(), fresh.VKey())
	}
	keys, err := r.LogKeys()
	must(t, err)
	if vkeys(keys) != fresh.VKey()+" "+old.VKey() {
		t.Errorf("the keys are %s", vkeys(keys))
	}
	if _, err := r.Rotate(); !errors.Is(err, ErrRotating) {
		t.Errorf("a rotation in a rotation: %v", err)
	}
	if pins := strings.Join(trusted(t, r), " "); pins != old.VKey()+" "+fresh.VKey() {
		t.Errorf("pinned are %s", pins)
	}
	was, err := r.FinishRotation()
	must(t, err)
	keys, err = r.LogKeys()
	must(t, err)
	if !was || vkeys(keys) != fresh.VKey() {
		t.Errorf("after the rotation: %v, %s", was, vkeys(keys))
	}
	if was, err := r.FinishRotation(); was || err != nil {
		t.Errorf("finished twice: %v, %v", was, err)
	}
}

func TestARotationThatWasCutShortIsDoneAgain(t *testing.T) {
	r := newRing(t)
	old, err := r.New()
	must(t, err, makeSecret(r.path(oldLogKeyName), old.Secret()))
	keys, err := r.LogKeys()
	must(t, err)
	if vkeys(keys) != old.VKey() {
		t.Errorf("before: %s", vkeys(keys))
	}
	fresh, err := r.Rotate()
	must(t, err)
	keys, err = r.LogKeys()
	must(t, err)
	if vkeys(keys) != fresh.VKey()+" "+old.VKey() {
		t.Errorf("after: %s", vkeys(keys))
	}
}

func TestKeysThatOthersMayReadAreRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes do not bind on Windows")
	}
	r := newRing(t)
	_, err := r.New()
	must(t, err, os.Chmod(r.LogKeyPath(), 0o640))
	var exposed *ExposedError
	if _, err := r.LogKeys(); !errors.As(err, &exposed) {
		t.Errorf("the key: %v", err)
	}
	must(t, os.Chmod(r.LogKeyPath(), 0o600), os.Chmod(r.Pins, 0o620))
	var pin *PinError
	if _, err := r.Trusted(); !errors.As(err, &pin) {
		t.Errorf("the pins: %v", err)
	}
}

func TestDamagedKeysAreRefused(t *testing.T) {
	r := newRing(t)
	_, err := r.New()
	must(t, err, os.WriteFile(r.LogKeyPath(), []byte("PRIVATE+KEY+x+00000000+AA\n"), 0o600))
	if _, err := r.LogKeys(); err == nil {
		t.Error("a damaged key was accepted, or made anew")
	}
}

func TestPinsAreThoseOfTheHome(t *testing.T) {
	r := newRing(t)
	own, err := r.New()
	must(t, err)
	other, err := seal.NewKey("tooltrail/other")
	must(t, err, appendPin(r.Pins, other.VKey()), appendPin(r.Pins, other.VKey()+" /elsewhere\n"))

	if pins := trusted(t, r); len(pins) != 1 || pins[0] != own.VKey() {
		t.Errorf("trusted are %q, want the home's alone", pins)
	}
	elsewhere := &KeyRing{Home: filepath.Join(t.TempDir(), "copy"), Pins: r.Pins}
	if pins := trusted(t, elsewhere); len(pins) != 1 || pins[0] != other.VKey() {
		t.Errorf("trusted for a home without pins are %q, want those for any", pins)
	}
	if r.Replaced(own) || !r.Replaced(other) || elsewhere.Replaced(other) {
		t.Error("a key that was replaced is not told from one that was not")
	}

	link := filepath.Join(filepath.Dir(r.Home), "link")
	if os.Symlink(r.Home, link) == nil {
		if pins := trusted(t, &KeyRing{Home: link, Pins: r.Pins}); len(pins) != 1 || pins[0] != own.VKey() {
			t.Errorf("by another path, trusted are %q", pins)
		}
	}
	must(t, appendPin(r.Pins, "nonsense\n"))
	if _, err := r.Trusted(); err == nil || !strings.Contains(err.Error(), "line 5") {
		t.Errorf("nonsense among the pins: %v", err)
	}
}

func TestKeysOfTheirOwnFolderServeOneHome(t *testing.T) {
	r := newRing(t)
	r.Dir = filepath.Join(t.TempDir(), "keys")
	// As if it was made on another machine: nothing is pinned here.
	unpinned := &KeyRing{Dir: r.Dir, Home: r.Home}
	key, err := unpinned.New()
	must(t, err)
	for range 2 {
		_, err = r.LogKeys()
		must(t, err)
		if pins := trusted(t, r); len(pins) != 1 || pins[0] != key.VKey() {
			t.Errorf("pinned are %q", pins)
		}
	}
	second := *r
	second.Home = filepath.Join(t.TempDir(), "home")
	var shared *SharedKeyError
	if _, err := second.LogKeys(); !errors.As(err, &shared) || shared.Home != realPath(r.Home) {
		t.Errorf("a second home: %v", err)
	}
}

func TestKeysInAHomeArePinnedOnlyWhenTheyAreMade(t *testing.T) {
	r := newRing(t)
	_, err := (&KeyRing{Home: r.Home}).New()
	must(t, err)
	_, err = r.LogKeys()
	must(t, err)
	if pins := trusted(t, r); len(pins) != 0 {
		t.Errorf("a key that lay in the home became trusted: %q", pins)
	}
}

func TestEraserKey(t *testing.T) {
	r := newRing(t)
	key, err := r.EraserKey()
	must(t, err)
	again, err := r.EraserKey()
	must(t, err)
	logs, err := r.LogKeys()
	must(t, err)
	if key.Name != logs[0].Name+"/eraser" || key.VKey() != again.VKey() || key.VKey() == logs[0].VKey() {
		t.Errorf("eraser keys %s and %s beside %s", key.VKey(), again.VKey(), logs[0].VKey())
	}
	if pins := trusted(t, r); len(pins) != 2 {
		t.Errorf("pinned are %q", pins)
	}
}
