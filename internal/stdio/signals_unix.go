//go:build unix

package stdio

import (
	"os"
	"os/signal"
	"syscall"
)

// catchBrokenPipe makes a write to a client that is gone an error: the signal
// would kill us before its calls are recorded.
func catchBrokenPipe() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// stopSignals tell us to end, and the server through us.
var stopSignals = []os.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT}
