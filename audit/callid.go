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
func NewCallID() string { return callIDs.next(uint64(time.Now().UnixMilli())) }

const (
	callIDLen   = 26
	callIDChunk = 128
	crockford   = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
)

var callIDs callIDSource

// A callIDSource makes ascending ULIDs.
type callIDSource struct {
	mu     sync.Mutex
	millis uint64 // guarded by mu: time of the newest id, never descends
	high   uint16 // guarded by mu: upper 16 of its 80 random bits
	low    uint64 // guarded by mu: lower 64
	chunk  []byte // guarded by mu: memory for the ids to come
}

func (s *callIDSource) next(millis uint64) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if millis > s.millis {
		s.millis, s.low = millis, rand.Uint64()
		s.high = uint16(rand.Uint32())
	} else {
		s.advance()
	}
	if len(s.chunk) < callIDLen {
		s.chunk = make([]byte, callIDLen*callIDChunk)
	}
	id := s.chunk[:callIDLen:callIDLen]
	s.chunk = s.chunk[callIDLen:]
	putULID(id, s.millis, s.high, s.low)
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
		s.millis++
	}
}

// putULID writes 48 bits of time and 80 of randomness, five bits a character.
func putULID(dst []byte, millis uint64, high uint16, low uint64) {
	_ = dst[callIDLen-1]
	for i := range 10 {
		dst[i] = crockford[millis>>(45-5*i)&31]
	}
	top := uint64(high)<<24 | low>>40 // the first 40 random bits
	for i := range 8 {
		dst[10+i] = crockford[top>>(35-5*i)&31]
		dst[18+i] = crockford[low>>(35-5*i)&31]
	}
}
