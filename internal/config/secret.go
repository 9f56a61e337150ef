package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/tooltrail/tooltrail/internal/durable"
)

// maxSecret is more than any key's file has, in bytes.
const maxSecret = 4096

// An ExposedError says that others than its owner may read a key.
type ExposedError struct {
	Path string
	Mode fs.FileMode
}

// Error names the file and its mode.
func (e *ExposedError) Error() string {
	return fmt.Sprintf("others may read the key %s (mode %04o)", e.Path, e.Mode.Perm())
}

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
		return "", &ExposedError{path, info.Mode()}
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSecret))
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
func secret(path string, fresh func() (string, error)) (string, error) {
	line, err := readSecret(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return line, err
	}
	if line, err = fresh(); err != nil {
		return "", err
	}
	if err := makeSecret(path, line); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return readSecret(path)
}

// eraseSecret overwrites a file and removes it. What a file system, a disk or
// a backup keeps of it is beyond reach.
func eraseSecret(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil {
		_, err = f.Write(make([]byte, min(info.Size(), maxSecret)))
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil {
		return err
	}
	return durable.SyncDir(filepath.Dir(path))
}
