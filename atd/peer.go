package atd

import (
	"net"
	"os/user"
	"strconv"
	"sync"
)

// peer returns the user at the other end, as the operating system knows it:
// os:alice, os:1000 for one without a name, "" where the system does not say.
func peer(nc net.Conn) string {
	c, ok := nc.(*net.UnixConn)
	if !ok {
		return ""
	}
	uid, ok := peerUID(c)
	if !ok {
		return ""
	}
	if name, known := userNames.Load(uid); known {
		return name.(string)
	}
	name := "os:" + userName(strconv.FormatUint(uint64(uid), 10))
	userNames.Store(uid, name)
	return name
}

// userNames remembers names by uid: a directory service can be slow.
var userNames sync.Map

func userName(uid string) string {
	if u, err := user.LookupId(uid); err == nil && u.Username != "" {
		return u.Username
	}
	return uid
}
