package trail

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"unsafe"

	"github.com/tooltrail/tooltrail/audit"
)

// The file state/counters: the 256 bytes of audit.Counters as they lie in
// memory, then the last sequence number from before the process.
const (
	counterBaseAt = audit.CountersSize
	counterSize   = audit.CountersSize + 8
)

// A counterFile holds the counters of this process.
type counterFile struct {
	mem []byte // mapped, where that is possible
}

// newCounters replaces a trail's counter file by a fresh one. The old file is
// left to whoever still has it mapped. Without a mapping the counters are
// plain memory, and what a killed process had queued is not known.
func newCounters(dir string, base uint64) *counterFile {
	path := filepath.Join(dir, stateDir, countersName)
	c := &counterFile{}
	if mem, err := mapCounters(path); err == nil {
		c.mem = mem
	} else {
		_ = os.Remove(path) // it counts for nobody any more
		words := make([]uint64, (counterSize+7)/8)
		c.mem = unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), counterSize)
	}
	binary.LittleEndian.PutUint64(c.mem[counterBaseAt:], base)
	return c
}

// counters is the memory as what it holds. Both a mapping and a slice of words
// are aligned for it.
func (c *counterFile) counters() *audit.Counters {
	return (*audit.Counters)(unsafe.Pointer(&c.mem[0]))
}

// admittedThrough returns the last sequence number that the process before
// this one owed to the events it had admitted; 0 where that is not known.
func admittedThrough(dir string) (uint64, error) {
	b, err := os.ReadFile(filepath.Join(dir, stateDir, countersName))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil || len(b) != counterSize {
		return 0, err
	}
	words := make([]uint64, counterSize/8)
	mem := unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), counterSize)
	copy(mem, b)
	n := (&counterFile{mem}).counters().Load()
	return binary.LittleEndian.Uint64(b[counterBaseAt:]) + n.Admitted(), nil
}
