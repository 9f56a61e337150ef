package relay

import "hash"

// A message is what the scanner found in one JSON-RPC message. It is valid
// during the scanner's emit only.
type message struct {
	piece     []byte           // the piece being scanned
	set       uint64           // fields with a value
	open      uint64           // fields whose value has begun
	loose     uint64           // fields whose value lies in the piece
	ambiguous bool             // two parsers could understand the message in two ways
	wasCall   bool             // a method that was replaced said tools/call
	keepTools bool             // a tools list is awaited: keep one that spans pieces
	digest    func() hash.Hash // makes keyed digests; nil = none
	noDigest  bool             // nobody will ask for the digests of what begins now
	vals      [numFields]value
}

// A value is the JSON text of a field, as it stood on the wire.
type value struct {
	b       []byte // the text, or the start of it
	own     []byte // memory for a value that spans pieces
	at      int    // where it began, in the piece
	n       int64  // its whole size, in bytes
	kind    byte   // its first byte
	carried bool   // it began in an earlier piece
	summed  bool   // carried, more than is kept, and sum is its digest
	sum     hash.Hash
}

// keep is how much of a field is kept when it spans pieces, in bytes.
var keep = [numFields]int{
	fMethod: 256, fID: 1 << 10, fOtherID: 1 << 10, fName: 64 << 10, fArgs: 1 << 20,
	fTrace: 128, fClient: 4 << 10, fClientVersion: 4 << 10,
	fRequestID: 1 << 10, fReason: 1 << 10, fState: 64 << 10, fTaskID: 1 << 10, fStatus: 64, fCursor: 4 << 10,
	fIsError: 16, fText: 4 << 10, fResultType: 64, fNextCursor: 4 << 10, fTools: 8 << 20, fTTL: 32,
	fNewTaskID: 1 << 10, fNewStatus: 64, fNewState: 64 << 10,
	fResult: 256 << 10, fError: 256 << 10, fInner: 256 << 10, fInnerErr: 256 << 10,
	fCode: 32, fErrText: 4 << 10,
	fInnerIsError: 16, fInnerText: 4 << 10, fInnerCode: 32, fInnerErrText: 4 << 10,
	fToolName: 64 << 10, fToolSchema: 1 << 20,
}

// results are the fields that hold a whole result or error. They are kept for
// their digest only, up to a size that most have.
const results = 1<<fResult | 1<<fError | 1<<fInner | 1<<fInnerErr

// keptMemory is how much memory a field may hold on to between messages.
const keptMemory = 512 << 10

func (m *message) reset() {
	for rest := m.set | m.open; rest != 0; rest &= rest - 1 {
		if v := &m.vals[lowest(rest)]; cap(v.own) > keptMemory {
			v.own = nil
		}
	}
	m.set, m.open, m.loose, m.ambiguous, m.wasCall = 0, 0, 0, false, false
}

// begin starts a field's value at an index of the piece.
func (m *message) begin(f field, at int, kind byte) {
	bit := uint64(1) << f
	v := &m.vals[f]
	if m.set&bit != 0 {
		m.replace(f)
	}
	v.b, v.at, v.n, v.kind, v.carried = nil, at, 0, kind, false
	m.set &^= bit
	m.loose &^= bit
	m.open |= bit
}

// put sets a field's value, which lies whole in the piece.
func (m *message) put(f field, b []byte) {
	bit := uint64(1) << f
	v := &m.vals[f]
	if m.set&bit != 0 {
		m.replace(f)
	}
	v.b, v.n, v.kind, v.carried = b, int64(len(b)), b[0], false
	m.set |= bit
	m.loose |= bit
}

// replace keeps what must not be lost when a later key replaces a value: the
// last one wins for most parsers, and the first one may still have counted.
func (m *message) replace(f field) {
	switch f {
	case fMethod:
		m.wasCall = m.wasCall || m.is(fMethod, methodCall)
	case fID:
		m.vals[fID], m.vals[fOtherID] = m.vals[fOtherID], m.vals[fID]
		m.set |= 1 << fOtherID
		m.loose = m.loose&^(1<<fOtherID) | m.loose>>fID&1<<fOtherID
	}
}

// finish ends a field's value before an index of the piece.
func (m *message) finish(f field, end int) {
	bit := uint64(1) << f
	v := &m.vals[f]
	if m.open&bit == 0 {
		return
	}
	m.open &^= bit
	m.set |= bit
	if v.carried {
		m.carry(f, m.piece[v.at:end])
		v.b = v.own
		return
	}
	m.loose |= bit
	v.b = m.piece[v.at:end]
	v.n = int64(len(v.b))
}

// suspend copies what lies in the piece, before the piece's memory is reused.
func (m *message) suspend() {
	for rest := m.open; rest != 0; rest &= rest - 1 {
		f := lowest(rest)
		v := &m.vals[f]
		m.carry(f, m.piece[v.at:])
		v.at = 0
	}
	for rest := m.loose; rest != 0; rest &= rest - 1 {
		f := lowest(rest)
		v := &m.vals[f]
		v.n = 0
		m.carry(f, v.b)
		v.b = v.own
	}
	m.loose = 0
	m.piece = nil
}

// carry adds a part to a value that spans pieces. A digest begins when the
// value outgrows what is kept of it; until then it can wait.
func (m *message) carry(f field, part []byte) {
	v := &m.vals[f]
	if !v.carried {
		v.carried, v.summed = true, false
		v.own = v.own[:0]
	}
	room := m.room(f) - len(v.own)
	switch {
	case v.summed:
		v.sum.Write(part)
	case len(part) > room && v.n == int64(len(v.own)) && m.digests(f):
		m.startSum(v)
		v.sum.Write(part)
	}
	v.n += int64(len(part))
	v.own = append(v.own, part[:min(max(room, 0), len(part))]...)
}

// room returns how much of a field that spans pieces is kept.
func (m *message) room(f field) int {
	if f == fTools && !m.keepTools || m.noDigest && results>>f&1 != 0 {
		return 0
	}
	return keep[f]
}

func (m *message) digests(f field) bool {
	return m.digest != nil && !m.noDigest && (1<<fArgs|results)>>f&1 != 0
}

func (m *message) startSum(v *value) {
	if v.sum == nil {
		v.sum = m.digest()
	}
	v.sum.Reset()
	v.sum.Write(v.own)
	v.summed = true
}

// has says whether the message has a field, of whatever type.
func (m *message) has(f field) bool { return m.set>>f&1 != 0 }

// raw returns a field's JSON text, or the start of it, or nil.
func (m *message) raw(f field) []byte {
	if !m.has(f) {
		return nil
	}
	return m.vals[f].b
}

// size returns a field's whole size on the wire, in bytes.
func (m *message) size(f field) int64 {
	if !m.has(f) {
		return 0
	}
	return m.vals[f].n
}

// whole says whether raw returns all of the field.
func (m *message) whole(f field) bool {
	return m.has(f) && m.vals[f].n == int64(len(m.vals[f].b))
}

// kind returns the first byte of a field's value, or 0.
func (m *message) kind(f field) byte {
	if !m.has(f) {
		return 0
	}
	return m.vals[f].kind
}

// inner returns the characters of a string as they stand on the wire, escapes
// and all, or nil for a value that is no string.
func (m *message) inner(f field) []byte {
	if m.kind(f) != '"' {
		return nil
	}
	b := m.raw(f)[1:]
	if m.whole(f) && len(b) > 0 {
		b = b[:len(b)-1]
	}
	return b
}

// is says whether a field is a string with a certain value.
func (m *message) is(f field, want string) bool {
	b := m.inner(f)
	if string(b) == want {
		return m.has(f)
	}
	if !escaped(b) || len(b) > 6*len(want) {
		return false
	}
	var buf [256]byte
	return string(appendUnescaped(buf[:0], b)) == want
}

// text returns a copy of a string's value, of at most limit bytes, or "".
func (m *message) text(f field, limit int) string {
	b := m.inner(f)
	if b == nil {
		return ""
	}
	return decode(b, limit)
}
