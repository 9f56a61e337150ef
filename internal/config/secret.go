package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/tooltrail/tooltrail/internal/durable"
)

// readSecret returns the one line of a file that only its owner may read.
func readSecret(path string) (string, error) {
	f, err := durable.OpenRead(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("others may read the key %s (mode %04o): chmod 600 %s", path, info.Mode().Perm(), path)
	}
	text, err := os.ReadFile(path)
	return strings.TrimSpace(string(text)), err
}

// makeSecret writes a line beside path and links it there, so that path never
// holds half a key and never changes. Where path exists already the error
// matches fs.ErrExist.
func makeSecret(path, line string) (err error) {
	dir := filepath.Dir(path)
	if err := durable.Mkdir(dir); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = fmt.Fprintln(f, line)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return durable.SyncDir(dir)
}

// secret returns the line in path, which is made with fresh on first use. Of
// several processes that make it at once, one wins and all return its line.
func secret(path string, fresh func() (string, error)) (line string, made bool, err error) {
	line, err = readSecret(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return line, false, err
	}
	if line, err = fresh(); err != nil {
		return "", false, err
	}
	err = makeSecret(path, line)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return "", false, err
	}
	made = err == nil
	line, err = readSecret(path)
	return line, made, err
}
