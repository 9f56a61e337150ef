package audit

import (
	"math/rand/v2"
	"sync"
	"time"
	"unsafe"
)

// NewCallID returns a fresh ULID: 26 characters of Crockford's base 32, 48 bits
// of Unix milliseconds and 80 random bits. Within a process the ids ascend, also
// within one millisecond and when the clock steps back. It is safe for
// concurrent use and allocates once per 128 ids.
//
// The format is https://github.com/ulid/spec; the random part comes from
// math/rand/v2 (ChaCha8, seeded by the operating system). Ids are unique, not
// secret: they must not be used to grant access.
func NewCallID() string { return NewCallIDAt(time.Now()) }

// NewCallIDAt is [NewCallID] for a caller that has just read the clock.
func NewCallIDAt(now time.Time) string { return callIDs.next(uint64(max(now.UnixMilli(), 0))) }

const (
	callIDLen   = 26
	callIDChunk = 128
	crockford   = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
)

var callIDs callIDSource

// A callIDSource makes ascending ULIDs.
type callIDSource struct {
	mu     sync.Mutex
	millis uint64   // guarded by mu: time of the newest id, never descends
	prefix [10]byte // guarded by mu: millis as text
	high   uint16   // guarded by mu: upper 16 of the newest id's 80 random bits
	low    uint64   // guarded by mu: lower 64
	chunk  []byte   // guarded by mu: memory for the ids to come
}

func (s *callIDSource) next(millis uint64) string {
	s.mu.Lock()
	if millis > s.millis {
		s.high, s.low = uint16(rand.Uint32()), rand.Uint64()
		s.setTime(millis)
	} else {
		s.advance()
	}
	if len(s.chunk) < callIDLen {
		s.chunk = make([]byte, callIDLen*callIDChunk)
	}
	id := s.chunk[:callIDLen:callIDLen]
	s.chunk = s.chunk[callIDLen:]
	copy(id, s.prefix[:])
	put40(id[10:], uint64(s.high)<<24|s.low>>40)
	put40(id[18:], s.low)
	s.mu.Unlock()
	// The bytes are written once, above, and never again.
	return unsafe.String(&id[0], callIDLen)
}

// advance adds a random step to the random bits, and carries into the time
// where they overflow. The step hides how many ids were made in between.
func (s *callIDSource) advance() {
	before := s.low
	s.low += 1 + uint64(rand.Uint32())
	if s.low >= before {
		return
	}
	s.high++
	if s.high == 0 {
		s.setTime(s.millis + 1)
	}
}

func (s *callIDSource) setTime(millis uint64) {
	s.millis = millis
	s.prefix[0], s.prefix[1] = crockford[millis>>45&7], crockford[millis>>40&31]
	put40(s.prefix[2:], millis)
}

// put40 writes the lower 40 bits of n, five to a character.
func put40(dst []byte, n uint64) {
	_ = dst[7]
	dst[0], dst[1], dst[2], dst[3] = crockford[n>>35&31], crockford[n>>30&31], crockford[n>>25&31], crockford[n>>20&31]
	dst[4], dst[5], dst[6], dst[7] = crockford[n>>15&31], crockford[n>>10&31], crockford[n>>5&31], crockford[n&31]
}
