package durable

import (
	"fmt"
	"os"
)

// OpenRead opens a file for reading. What is not a regular file is refused, so
// that a FIFO in its place cannot hang a reader. A link is followed: a reader
// may have been given one.
func OpenRead(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|openNonblock, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("open %s: not a regular file", path)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
