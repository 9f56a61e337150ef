package atd

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// maxPath is how long the path of a socket may be on the systems with the
// least room: sun_path has 104 bytes on BSD and darwin, 108 on Linux.
const maxPath = 103

var (
	// ErrInUse says that a server listens at the path.
	ErrInUse = errors.New("a server listens there already")
	// ErrNotSocket says that something else than a socket is at the path.
	ErrNotSocket = errors.New("there is something that is no socket")
)

// Listen listens on a Unix socket at path, which only its owner can connect to,
// from its first moment on. The folder is made (0700) if need be. A socket that
// nobody listens on any more is replaced; one that somebody does is ErrInUse,
// anything else ErrNotSocket, and stays. Close removes the socket.
func Listen(path string) (net.Listener, error) {
	l, err := listen(path)
	if err != nil {
		return nil, fmt.Errorf("atd: listen on %s: %w", path, err)
	}
	return l, nil
}

func listen(path string) (*listener, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	unlock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := free(path); err != nil {
		return nil, err
	}
	// A socket has the mode of the umask when it is bound. So it is bound in a
	// folder that is ours alone, and moved when it is private.
	private, err := os.MkdirTemp(dir, ".")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(private)
	bound := filepath.Join(private, "s")
	if n := max(len(bound), len(path)); n > maxPath {
		return nil, fmt.Errorf("the path of a socket has at most %d bytes, and this is %d too long", maxPath, n-maxPath)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: bound, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	if err := errors.Join(os.Chmod(bound, 0o600), os.Rename(bound, path)); err != nil {
		_ = l.Close()
		return nil, err
	}
	own, err := os.Lstat(path)
	if err != nil {
		_ = l.Close()
		return nil, err
	}
	return &listener{UnixListener: l, path: path, own: own}, nil
}

// free says whether a path is free, or a socket that nobody listens on.
func free(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return ErrNotSocket
	}
	c, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		_ = c.Close()
		return ErrInUse
	}
	if isRefused(err) {
		return nil
	}
	return fmt.Errorf("%w, or so it seems: %w", ErrInUse, err)
}

// A listener removes its socket when it is closed.
type listener struct {
	*net.UnixListener
	path string
	own  os.FileInfo
	once sync.Once
	err  error
}

// Addr returns the socket's address.
func (l *listener) Addr() net.Addr { return &net.UnixAddr{Name: l.path, Net: "unix"} }

// Close stops listening and removes the socket, unless another took its place.
func (l *listener) Close() error {
	l.once.Do(func() {
		if now, err := os.Lstat(l.path); err == nil && os.SameFile(now, l.own) {
			_ = os.Remove(l.path)
		}
		l.err = l.UnixListener.Close()
	})
	return l.err
}
