package atd

import (
	"net"

	"golang.org/x/sys/unix"
)

// peerUID asks the kernel who connected: SO_PEERCRED of unix(7). It is who the
// client was when it connected.
func peerUID(c *net.UnixConn) (uid uint32, ok bool) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, false
	}
	var cred *unix.Ucred
	controlErr := raw.Control(func(fd uintptr) {
		cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if controlErr != nil || err != nil {
		return 0, false
	}
	return cred.Uid, true
}
