package dispatch

import (
	"sync"
	"sync/atomic"

	"github.com/tooltrail/tooltrail/audit"
)

// SessionOptions say what the transport knows of a caller.
type SessionOptions struct {
	// ID tells sessions apart in the trail. "" means a fresh ULID.
	ID string
	// Principal is the authenticated caller, such as os:alice.
	Principal string
	// Transport is how calls come in. The default is in-process.
	Transport audit.Transport
	// MaxResult is how many bytes of result a reply can carry. 0 means that
	// only the tier sets a limit.
	MaxResult int
}

// A Session is one caller's state: who it says it is, what it may do, and what
// tools remember of it. It is safe for concurrent use.
type Session struct {
	id        string
	principal string
	transport audit.Transport
	maxResult int

	grant atomic.Pointer[grant] // replaced by a Hello that is accepted
	kept  sync.Map              // what tools remember
}

// NewSession returns a session without a caller id and without capabilities.
// o may be nil.
func NewSession(o *SessionOptions) *Session {
	if o == nil {
		o = &SessionOptions{}
	}
	s := &Session{id: o.ID, principal: o.Principal, transport: o.Transport, maxResult: o.MaxResult}
	if s.id == "" {
		s.id = audit.NewCallID()
	}
	if s.transport == audit.TransportUnknown {
		s.transport = audit.TransportInProcess
	}
	s.grant.Store(&grant{capabilities: []string{}})
	return s
}

// ID returns the session's id in the trail.
func (s *Session) ID() string { return s.id }

// Load returns what a tool keeps in the session under a key of a type of its
// own, and makes it with the first call. It ends with the session.
func (s *Session) Load(key any, make func() any) any {
	if v, ok := s.kept.Load(key); ok {
		return v
	}
	v, _ := s.kept.LoadOrStore(key, make())
	return v
}
