package durable

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestLockIsExclusiveAndNamesItsHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	l, err := TakeLock(path)
	if err != nil {
		t.Fatal(err)
	}
	var held *HeldError
	if _, err := TakeLock(path); !errors.As(err, &held) || held.PID != os.Getpid() {
		t.Fatalf("second lock: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l, err = TakeLock(path)
	if err != nil {
		t.Fatalf("after release: %v", err)
	}
	defer l.Close()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	fresh, err := TakeLock(path)
	if err != nil {
		t.Fatalf("after removal: %v", err)
	}
	fresh.Close()
}

func TestOpenAppendRefusesWhatIsNotOurs(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need privileges on Windows")
	}
	dir := t.TempDir()
	name := func(s string) string { return filepath.Join(dir, s) }
	f, err := OpenAppend(name("ok"), true)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if info, _ := os.Stat(name("ok")); info.Mode().Perm() != FileMode {
		t.Errorf("mode %v", info.Mode())
	}
	if _, err := OpenAppend(name("ok"), true); !errors.Is(err, os.ErrExist) {
		t.Errorf("create over a file: %v", err)
	}
	os.Symlink(name("ok"), name("symlink"))
	if _, err := OpenAppend(name("symlink"), false); err == nil {
		t.Error("a symbolic link is followed")
	}
	var unsafe *UnsafeError
	os.Link(name("ok"), name("hard"))
	if _, err := OpenAppend(name("hard"), false); !errors.As(err, &unsafe) {
		t.Errorf("hard link: %v", err)
	}
}

func TestWriteFileReplacesAndLeavesNothingBeside(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	if err := Mkdir(dir); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"one", "two"} {
		if err := WriteFile(filepath.Join(dir, "f"), []byte(want)); err != nil {
			t.Fatal(err)
		}
		got, _ := os.ReadFile(filepath.Join(dir, "f"))
		if string(got) != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left over: %v", entries)
	}
	if err := Mkdir(filepath.Join(dir, "f")); err == nil {
		t.Error("a file passes for a directory")
	}
}
