package atd

import (
	"net"

	"golang.org/x/sys/unix"
)

// peerUID asks the kernel who connected: LOCAL_PEERCRED of unix(4).
func peerUID(c *net.UnixConn) (uid uint32, ok bool) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, false
	}
	var cred *unix.Xucred
	controlErr := raw.Control(func(fd uintptr) {
		cred, err = unix.GetsockoptXucred(int(fd), unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	})
	if controlErr != nil || err != nil {
		return 0, false
	}
	return cred.Uid, true
}
