//go:build unix

package trail

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/tooltrail/tooltrail/internal/durable"
)

// mapCounters makes a counter file and maps it. The mapping lasts as long as
// the process: a queue may count into it after the trail is closed.
func mapCounters(path string) ([]byte, error) {
	if err := durable.WriteFile(path, make([]byte, counterSize)); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return unix.Mmap(int(f.Fd()), 0, counterSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}
