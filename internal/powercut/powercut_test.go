package powercut

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/tooltrail/tooltrail/internal/durable"
)

// states cuts the power many times behind what write does, and counts what the
// file at name then holds. "-" stands for no file.
func states(t *testing.T, name string, write func(f *FS, path string) error) map[string]int {
	t.Helper()
	seen := map[string]int{}
	for seed := range uint64(300) {
		path := filepath.Join(t.TempDir(), name)
		f := New(seed)
		if err := write(f, path); err != nil {
			t.Fatal(err)
		}
		if err := f.Cut(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			b = []byte("-")
		}
		seen[string(b)]++
	}
	return seen
}

// appended makes a durable file of safe, and appends loose.
func appended(f *FS, path string, safe, loose string) (durable.File, error) {
	h, err := f.OpenAppend(path, true)
	if err != nil {
		return nil, err
	}
	_, err = h.Write([]byte(safe))
	err = errors.Join(err, h.Datasync(), f.SyncDir(filepath.Dir(path)))
	_, lerr := h.Write([]byte(loose))
	return h, errors.Join(err, lerr)
}

func TestSyncedBytesStayAndOthersMay(t *testing.T) {
	seen := states(t, "f", func(f *FS, path string) error {
		h, err := appended(f, path, "safe", "loose")
		return errors.Join(err, h.Close())
	})
	for state := range seen {
		if state[:4] != "safe" {
			t.Errorf("synced bytes became %q", state)
		}
	}
	for _, want := range []string{"safe", "safeloose", "safelo", "safe\x00\x00\x00"} {
		if seen[want] == 0 {
			t.Errorf("%q was never there: %v", want, seen)
		}
	}
}

func TestBlocksGetLostOneByOne(t *testing.T) {
	holes := 0
	for state := range states(t, "f", func(f *FS, path string) error {
		h, err := appended(f, path, "safe", string(bytes.Repeat([]byte("x"), 3*page)))
		return errors.Join(err, h.Close())
	}) {
		if i := bytes.IndexByte([]byte(state), 0); i >= 0 && bytes.IndexByte([]byte(state[i:]), 'x') > 0 {
			holes++
		}
	}
	if holes < 20 {
		t.Errorf("%d of 300 files had a hole", holes)
	}
}

func TestNamesAreThereOnlyAfterASync(t *testing.T) {
	create := func(sync bool) func(f *FS, path string) error {
		return func(f *FS, path string) error {
			h, err := f.OpenAppend(path, true)
			if err != nil {
				return err
			}
			_, err = h.Write([]byte("x"))
			err = errors.Join(err, h.Datasync(), h.Close())
			if sync {
				err = errors.Join(err, f.SyncDir(filepath.Dir(path)))
			}
			return err
		}
	}
	if seen := states(t, "f", create(false)); seen["-"] == 0 || seen["x"] == 0 || len(seen) != 2 {
		t.Errorf("without a sync of the directory: %v", seen)
	}
	if seen := states(t, "f", create(true)); seen["x"] != 300 {
		t.Errorf("with it: %v", seen)
	}
}

func TestPublishedFilesAreOldNewOrNothing(t *testing.T) {
	seen := states(t, "f", func(f *FS, path string) error {
		return errors.Join(f.WriteFile(path, []byte("old")), f.Publish(path, []byte("mid")), f.Publish(path, []byte("new")))
	})
	if len(seen) != 5 || seen["old"] == 0 || seen["mid"] == 0 || seen["new"] == 0 || seen[""] == 0 || seen["\x00\x00\x00"] == 0 {
		t.Errorf("%v", seen)
	}
	seen = states(t, "f", func(f *FS, path string) error {
		return errors.Join(f.Publish(path, []byte("mid")), f.WriteFile(path, []byte("new")))
	})
	if seen["new"] != 300 {
		t.Errorf("WriteFile: %v", seen)
	}
}

func TestRemovedFilesMayBeBack(t *testing.T) {
	seen := states(t, "f", func(f *FS, path string) error {
		return errors.Join(f.WriteFile(path, []byte("x")), f.Remove(path))
	})
	if len(seen) != 2 || seen["x"] == 0 || seen["-"] == 0 {
		t.Errorf("%v", seen)
	}
}

func TestCutOffBytesMayBeBack(t *testing.T) {
	seen := states(t, "f", func(f *FS, path string) error {
		h, err := appended(f, path, "safe tail", "")
		if err == nil {
			err = h.Truncate(4)
		}
		if err == nil {
			_, err = h.Write([]byte("NEW"))
		}
		return errors.Join(err, h.Close())
	})
	for _, want := range []string{"safe tail", "safe", "safeNEW", "safeNEW\x00\x00"} {
		if seen[want] == 0 {
			t.Errorf("%q was never there: %v", want, seen)
		}
	}
}

func TestNothingWorksWithoutPower(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	f := New(1)
	h, err := appended(f, path, "a", "b")
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	f.Off()
	_, werr := h.Write([]byte("c"))
	_, rerr := h.ReadAt(make([]byte, 1), 0)
	_, serr := h.Stat()
	_, lerr := f.Lstat(path)
	_, oerr := f.OpenAppend(path, false)
	for i, err := range []error{werr, rerr, serr, lerr, oerr, h.Truncate(0), h.Datasync(), h.Chmod(0o400), f.Remove(path),
		f.WriteFile(path, nil), f.Publish(path, nil), f.Rename(path, path), f.Mkdir(path + "d"), f.SyncDir(filepath.Dir(path))} {
		if !errors.Is(err, syscall.EIO) {
			t.Errorf("operation %d: %v", i, err)
		}
	}
}

// TestTheFuseEndsEveryChange lets the power go off in each change of a small
// program, and expects a state that the program may have been in.
func TestTheFuseEndsEveryChange(t *testing.T) {
	for n := 1; n <= 12; n++ {
		for seed := range uint64(40) {
			dir := filepath.Join(t.TempDir(), "d")
			f := New(seed)
			f.After(n)
			acked := program(f, dir)
			if err := f.Cut(); err != nil {
				t.Fatal(err)
			}
			b, _ := os.ReadFile(filepath.Join(dir, "log"))
			if len(b) < acked || !bytes.HasPrefix([]byte("onetwo"), b[:acked]) {
				t.Fatalf("fuse %d, seed %d: %d bytes were durable, there is %q", n, seed, acked, b)
			}
		}
	}
}

// program appends to a log, and returns how many bytes it knows to be durable.
func program(f *FS, dir string) (acked int) {
	if f.Mkdir(dir) != nil {
		return 0
	}
	h, err := f.OpenAppend(filepath.Join(dir, "log"), true)
	if err != nil {
		return 0
	}
	defer h.Close()
	named := f.SyncDir(dir) == nil
	for _, s := range []string{"one", "two"} {
		if _, err := h.Write([]byte(s)); err != nil || h.Datasync() != nil || !named {
			return acked
		}
		acked += len(s)
	}
	return acked
}
