package powercut

import (
	"io/fs"
	"os"
	"runtime"

	"github.com/tooltrail/tooltrail/internal/durable"
)

// An inode is what is known of a file's content. Its fields are guarded by the
// file system's mu.
type inode struct {
	path   string
	info   fs.FileInfo // its identity
	synced int64       // bytes in front that are durable
	old    []byte      // durable bytes behind synced, cut off by a Truncate that is not
	mode   fs.FileMode // before the first Chmod
	whole  bool        // written at once: there is all of it, NULs, or nothing
}

// A version is what a name may lead to: a file, or none if data is nil.
type version struct {
	data []byte
	mode fs.FileMode
}

func snapshot(path string) (version, error) {
	info, err := os.Lstat(path)
	if os.IsNotExist(err) {
		return version{}, nil
	}
	if err != nil {
		return version{}, err
	}
	data, err := os.ReadFile(path)
	return version{append([]byte{}, data...), info.Mode().Perm()}, err
}

// A handle is an open file. It is safe for concurrent use.
type handle struct {
	fs   *FS
	file durable.OSFile
	node *inode
}

func (h *handle) Write(b []byte) (int, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if h.fs.off {
		return 0, failed("write", h.node.path)
	}
	if h.fs.dies() {
		_, _ = h.file.Write(b[:h.fs.rng.IntN(len(b)+1)])
		return 0, failed("write", h.node.path)
	}
	return h.file.Write(b)
}

func (h *handle) ReadAt(b []byte, off int64) (int, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if h.fs.off {
		return 0, failed("read", h.node.path)
	}
	return h.file.ReadAt(b, off)
}

func (h *handle) Truncate(size int64) error {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if h.fs.off {
		return failed("truncate", h.node.path)
	}
	dies := h.fs.dies()
	if !dies || h.fs.rng.IntN(2) == 0 {
		if cut := h.node.synced - size; cut > 0 {
			gone := make([]byte, cut)
			if _, err := h.file.ReadAt(gone, size); err != nil {
				return err
			}
			h.node.old = append(gone, h.node.old...)
			h.node.synced = size
		}
		if err := h.file.Truncate(size); err != nil {
			return err
		}
	}
	if dies {
		return failed("truncate", h.node.path)
	}
	return nil
}

// Datasync makes durable what was there when it began.
func (h *handle) Datasync() error {
	info, err := h.Stat()
	if err != nil {
		return err
	}
	runtime.Gosched()
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if h.fs.off || h.fs.dies() {
		return failed("fdatasync", h.node.path)
	}
	now, err := h.file.Stat()
	if err != nil {
		return err
	}
	h.node.synced = max(h.node.synced, min(info.Size(), now.Size()))
	h.node.old, h.node.whole = nil, false
	return nil
}

func (h *handle) Stat() (fs.FileInfo, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if h.fs.off {
		return nil, failed("stat", h.node.path)
	}
	return h.file.Stat()
}

func (h *handle) Chmod(mode fs.FileMode) error {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if h.fs.off || h.fs.dies() && h.fs.rng.IntN(2) == 0 {
		return failed("chmod", h.node.path)
	}
	return h.file.Chmod(mode)
}

// Close works without power, so that nothing leaks.
func (h *handle) Close() error { return h.file.Close() }
