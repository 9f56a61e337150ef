//go:build unix

package stdio

import (
	"os"
	"syscall"
)

// stopSignals tell us to end, and the server through us.
var stopSignals = []os.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT}
