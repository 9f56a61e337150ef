package dispatch

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"time"
)

const (
	// DefaultCursorTTL is how long a cursor holds.
	DefaultCursorTTL = 5 * time.Minute
	// MaxState is how many bytes of state a Pager may keep in a cursor.
	MaxState = 256
	// MaxCursor is how long a cursor is at most, in characters.
	MaxCursor = 512
)

var (
	errCursorInvalid = errors.New("the cursor does not hold")
	errCursorExpired = errors.New("the cursor has expired")
)

// A cursor asks for a further page. It holds for one tool, one caller and the
// arguments of the first page.
//
// On the wire it is base64url (RFC 4648, no padding) of a version byte, the
// fields below in their order with big-endian numbers, the state, and the
// HMAC-SHA256 of all that. A client cannot read anything into it but its age.
type cursor struct {
	session    [8]byte  // of the process
	issued     int64    // Unix seconds
	page       uint32   // the page that it asks for, from 2
	tool       [16]byte // digests, cut
	caller     [16]byte
	args       [16]byte
	parentCall [26]byte // the call that gave the first page
	state      []byte
}

const (
	cursorVersion = 1
	cursorHead    = 1 + 8 + 8 + 4 + 3*16 + 26
)

// cursors make and open cursors.
type cursors struct {
	key     []byte
	ttl     time.Duration
	session [8]byte
	now     func() time.Time
}

func newCursors(key []byte, ttl time.Duration) *cursors {
	c := &cursors{key: bytes.Clone(key), ttl: ttl, now: time.Now}
	if ttl == 0 {
		c.ttl = DefaultCursorTTL
	}
	if len(c.key) == 0 {
		c.key = make([]byte, 32)
		_, _ = rand.Read(c.key) // never fails
	}
	_, _ = rand.Read(c.session[:])
	return c
}

// seal returns the text of a cursor that is issued now.
func (c *cursors) seal(cur *cursor) string {
	b := make([]byte, 0, cursorHead+len(cur.state)+sha256.Size)
	b = append(b, cursorVersion)
	b = append(b, c.session[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(c.now().Unix()))
	b = binary.BigEndian.AppendUint32(b, cur.page)
	b = append(b, cur.tool[:]...)
	b = append(b, cur.caller[:]...)
	b = append(b, cur.args[:]...)
	b = append(b, cur.parentCall[:]...)
	b = append(b, cur.state...)
	return base64.RawURLEncoding.EncodeToString(c.mac(b))
}

// open reads a cursor. The error is errCursorInvalid, or errCursorExpired where
// it is ours and too old, or of another process with the same key.
func (c *cursors) open(text string) (*cursor, error) {
	if len(text) > MaxCursor {
		return nil, errCursorInvalid
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) < cursorHead+sha256.Size || b[0] != cursorVersion {
		return nil, errCursorInvalid
	}
	payload := b[:len(b)-sha256.Size]
	if !hmac.Equal(c.mac(bytes.Clone(payload)), b) {
		return nil, errCursorInvalid
	}
	cur := &cursor{}
	rest := payload[1:]
	rest = rest[copy(cur.session[:], rest):]
	cur.issued, rest = int64(binary.BigEndian.Uint64(rest)), rest[8:]
	cur.page, rest = binary.BigEndian.Uint32(rest), rest[4:]
	rest = rest[copy(cur.tool[:], rest):]
	rest = rest[copy(cur.caller[:], rest):]
	rest = rest[copy(cur.args[:], rest):]
	cur.state = rest[copy(cur.parentCall[:], rest):]
	age := c.now().Sub(time.Unix(cur.issued, 0))
	if cur.session != c.session || age > c.ttl {
		return nil, errCursorExpired
	}
	return cur, nil
}

// mac appends the digest of b to it.
func (c *cursors) mac(b []byte) []byte {
	h := hmac.New(sha256.New, c.key)
	h.Write(b)
	return h.Sum(b)
}

// isFor reports whether the cursor was given for this tool, to this caller,
// and, where the arguments are repeated, for these.
func (cur *cursor) isFor(toolID, callerID, principal string, args json.RawMessage) bool {
	return cur.tool == digest(toolID) && cur.caller == digest(callerID, principal) &&
		(args == nil || cur.args == digest(string(args)))
}

// digest is that of a list of strings, which no other list has.
func digest(parts ...string) [16]byte {
	h := sha256.New()
	var size [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(size[:], uint64(len(p)))
		h.Write(size[:])
		h.Write([]byte(p))
	}
	return [16]byte(h.Sum(nil))
}

// continues makes the call one for a further page.
func (c *call) continues(cur *cursor) {
	c.cursor = cur
	c.State = cur.state
	c.event.CursorPage = cur.page
	c.event.ParentCallID = string(cur.parentCall[:])
}

// nextCursor returns the cursor for the page after this one, "" for none.
func (c *call) nextCursor(state []byte) (string, *InternalError) {
	if state == nil {
		return "", nil
	}
	if len(state) > MaxState {
		return "", &InternalError{"the state of the next page is too large"}
	}
	next := cursor{page: 2, tool: digest(c.ToolID), caller: digest(c.CallerID, c.Principal), args: digest(string(c.Args)), state: state}
	copy(next.parentCall[:], c.ID)
	if c.cursor != nil {
		next.page, next.args, next.parentCall = c.cursor.page+1, c.cursor.args, c.cursor.parentCall
	}
	return c.d.cursors.seal(&next), nil
}
