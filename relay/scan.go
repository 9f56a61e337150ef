package relay

// A scanner reads the JSON-RPC messages of one direction as their bytes pass
// by, in pieces of any size, and keeps only the few values that an audit
// needs. It is tolerant (it never validates and never stops the bytes), not
// recursive (nesting costs a counter, so depth cannot hurt it) and does not
// allocate in steady state.
//
// A whole value within one piece is a slice of that piece; a value that spans
// pieces is copied up to its field's cap, and counted and digested beyond.
//
// A scanner belongs to one goroutine at a time.
type scanner struct {
	state  state
	top    node   // what a top-level object is
	strict bool   // give a frame up at what no parser accepts
	broken bool   // the message has a line break; kept by breakLine
	esc    bool   // the next byte of a string is escaped
	done   bool   // a whole value has been seen in this frame
	target target // what the next value is
	skip   int    // open containers of a value that is passed over
	depth  int    // levels in use
	levels [maxLevels]level

	key        [maxKey]byte // a key that is escaped, or came in two pieces
	keyLen     int
	keyEscaped bool

	msg  message
	emit func(m *message) // called at the end of each message
}

// maxLevels bounds the objects and arrays that are looked into; the deepest
// path of interest is batch, message, params, task result, content, item.
const maxLevels = 10

// maxKey is more than any key of interest takes when each of its characters
// is escaped, so a longer key cannot be one.
const maxKey = 256

// A level is an object or array that is being looked into.
type level struct {
	node  node
	field field  // the value that ends with this level
	seen  uint32 // keys of interest met so far, one bit each
	count int    // elements begun, of an array
}

type state uint8

const (
	atRoot     state = iota // before a message
	atValue                 // before a value
	atKey                   // before a key or the object's end
	inKey                   // in a key that is escaped or came in two pieces
	atColon                 // after a key
	afterVal                // after a value
	inText                  // in a string of interest, or one passed over
	inScalar                // in a number or literal
	inSkip                  // in a container that is passed over
	inSkipText              // in a string inside such a container
	inJunk                  // in a frame that is no JSON
)

// reset forgets what was begun, as at the start of a frame.
func (s *scanner) reset() {
	s.state, s.depth, s.skip, s.esc, s.done, s.keyLen, s.broken = atRoot, 0, 0, false, false, 0, false
	s.msg.reset()
}

// unfinished says whether a message has begun and not ended.
func (s *scanner) unfinished() bool { return s.state != atRoot && s.state != inJunk }

// feed reads one piece. A piece that does not end its frame must be followed
// by suspend before its memory is used again.
func (s *scanner) feed(p []byte) {
	s.msg.piece = p
	for i := 0; i < len(p); {
		switch s.state {
		case atKey:
			i = s.keyOrEnd(p, i)
		case atColon:
			i = s.colon(p, i)
		case atValue:
			i = s.value(p, i)
		case afterVal:
			i = s.after(p, i)
		case inText:
			i = s.text(p, i)
		case inScalar:
			i = s.scalar(p, i)
		case inSkip, inSkipText:
			i = s.pass(p, i)
		case inKey:
			i = s.slowKey(p, i)
		case atRoot:
			i = s.root(p, i)
		default:
			return
		}
	}
}

// root expects a message or a batch. Anything else makes the rest of the frame
// junk, so that a log line which quotes a reply is not taken for one.
func (s *scanner) root(p []byte, i int) int {
	c := p[i]
	switch {
	case isSpace(c):
		return i + 1
	case c == '{':
		s.target = target{node: s.top}
		return s.open(p, i)
	case c == '[':
		s.target = target{node: nBatch}
		return s.open(p, i)
	case !s.done && (c == 0xef || c == 0xbb || c == 0xbf): // a byte order mark
		return i + 1
	}
	s.state = inJunk
	return len(p)
}

// keyOrEnd expects a key or the end of an object. Whatever else stands there is
// passed over.
func (s *scanner) keyOrEnd(p []byte, i int) int {
	switch p[i] {
	case '"':
		start := i + 1
		end := indexStop(p, start)
		for end < len(p) && p[end] != '"' && p[end] != '\\' {
			end++
		}
		if end == len(p) || p[end] != '"' {
			s.state, s.keyLen, s.esc, s.keyEscaped = inKey, 0, false, false
			return start
		}
		s.setTarget(p[start:end])
		if end+2 < len(p) && p[end+1] == ':' {
			s.state = atValue
			return s.value(p, end+2)
		}
		return end + 1
	case '}', ']':
		return s.close(p, i)
	case ' ', '\t', '\r', '\n':
	default:
		s.odd()
	}
	return i + 1
}

// odd notes a byte where it cannot stand. It is passed over, since what comes
// after it may be a call to some parser.
func (s *scanner) odd() {
	if s.strict {
		s.state = inJunk
	}
}

// slowKey collects a key byte by byte.
func (s *scanner) slowKey(p []byte, i int) int {
	for ; i < len(p); i++ {
		c := p[i]
		if c == '"' && !s.esc {
			s.endSlowKey()
			return i + 1
		}
		s.keyEscaped = s.keyEscaped || c == '\\'
		s.esc = c == '\\' && !s.esc
		if s.keyLen < maxKey {
			s.key[s.keyLen] = c
		}
		s.keyLen++
	}
	return i
}

// endSlowKey looks up the collected key; one too long cannot be of interest.
func (s *scanner) endSlowKey() {
	if s.keyLen > maxKey {
		s.target, s.state = target{}, atColon
		return
	}
	k := s.key[:s.keyLen]
	if s.keyEscaped {
		var buf [maxKey]byte
		k = appendUnescaped(buf[:0], k)
	}
	s.setTarget(k)
}

// setTarget finds out what a key's value is and notes keys that two parsers
// could understand in two ways: duplicates, and variants in case, which parsers
// such as Go's encoding/json take for the key itself.
func (s *scanner) setTarget(k []byte) {
	s.state = atColon
	l := &s.levels[s.depth-1]
	e := lookup(l.node, k)
	if e == nil {
		s.target = target{}
		if e = lookupVariant(l.node, k); e == nil {
			return
		}
		s.msg.ambiguous = true
	}
	s.target = e.target
	if l.seen&e.bit != 0 {
		s.msg.ambiguous = true
	}
	l.seen |= e.bit
}

func (s *scanner) colon(p []byte, i int) int {
	switch c := p[i]; {
	case c == ':':
		s.state = atValue
	case !isSpace(c): // no colon: no value
		s.state = afterVal
		s.odd()
		return i
	}
	return i + 1
}

// value expects a value, described by s.target.
func (s *scanner) value(p []byte, i int) int {
	switch c := p[i]; c {
	case '"':
		if end, _ := textEnd(p, i+1, false); end >= 0 {
			return s.whole(p, i, end+1)
		}
		s.begin(i, c, inText)
		return s.text(p, i+1)
	case '{', '[':
		return s.open(p, i)
	case '}', ']':
		return s.close(p, i)
	case ',':
		s.next()
		return i + 1
	case ' ', '\t', '\r', '\n':
		return i + 1
	default:
		if end := scalarEnd(p, i+1); end < len(p) {
			return s.whole(p, i, end)
		}
		s.begin(i, c, inScalar)
		return len(p)
	}
}

// begin starts a string or scalar that goes on in the next piece.
func (s *scanner) begin(i int, kind byte, in state) {
	s.state, s.esc = in, false
	if f := s.target.field; f != 0 {
		s.msg.begin(f, i, kind)
	}
}

// whole takes a string or scalar that lies in one piece.
func (s *scanner) whole(p []byte, start, end int) int {
	if f := s.target.field; f != 0 {
		s.msg.put(f, p[start:end])
	}
	return s.ended(p, end)
}

// text passes a string to its end.
func (s *scanner) text(p []byte, i int) int {
	end, esc := textEnd(p, i, s.esc)
	if end < 0 {
		s.esc = esc
		return len(p)
	}
	return s.finish(p, end+1)
}

// scalar passes a number or a literal to its end.
func (s *scanner) scalar(p []byte, i int) int {
	if i = scalarEnd(p, i); i == len(p) {
		return i
	}
	return s.finish(p, i)
}

// scalarEnd returns the index, from i on, of what ends a number or literal.
func scalarEnd(p []byte, i int) int {
	for ; i < len(p); i++ {
		switch p[i] {
		case ',', '}', ']', ' ', '\t', '\r', '\n', '"', ':', '{', '[':
			return i
		}
	}
	return i
}

// finish ends the string, scalar or skipped value that s.target describes.
func (s *scanner) finish(p []byte, end int) int {
	if f := s.target.field; f != 0 {
		s.msg.finish(f, end)
	}
	return s.ended(p, end)
}

// ended goes on behind a value.
func (s *scanner) ended(p []byte, i int) int {
	if i < len(p) && p[i] == ',' {
		s.next()
		return i + 1
	}
	s.state = afterVal
	return i
}

// after expects a comma or the end of the container.
func (s *scanner) after(p []byte, i int) int {
	switch p[i] {
	case ',':
		s.next()
	case '}', ']':
		return s.close(p, i)
	case '"': // a missing comma
		s.next()
		s.odd()
		return i
	case ' ', '\t', '\r', '\n':
	default:
		s.odd()
	}
	return i + 1
}

// next prepares for the next member or element of the innermost level.
func (s *scanner) next() {
	l := &s.levels[s.depth-1]
	if !l.node.isArray() {
		s.state = atKey
		return
	}
	l.count++
	s.state, s.target = atValue, s.element(l.node, l.count)
}

// element describes the i-th element of an array.
func (s *scanner) element(array node, i int) target {
	switch {
	case array == nBatch:
		return target{node: s.top}
	case array == nContent && i == 0:
		return target{node: nItem}
	case array == nInnerContent && i == 0:
		return target{node: nInnerItem}
	}
	return target{}
}

// open begins an object or array: looked into when s.target names a node of
// that shape, else passed over.
func (s *scanner) open(p []byte, i int) int {
	t := s.target
	if t.field != 0 {
		s.msg.begin(t.field, i, p[i])
	}
	if t.node == 0 || t.node.isArray() != (p[i] == '[') || s.depth == maxLevels {
		s.state, s.skip = inSkip, 1
		return s.pass(p, i+1)
	}
	s.levels[s.depth] = level{node: t.node, field: t.field}
	s.depth++
	if t.node.isArray() {
		s.state, s.target = atValue, s.element(t.node, 0)
	} else {
		s.state = atKey
	}
	return i + 1
}

// close ends the innermost level, and those around it that end there too; they
// are at most maxLevels.
func (s *scanner) close(p []byte, i int) int {
	s.depth--
	l := &s.levels[s.depth]
	if l.field != 0 {
		s.msg.finish(l.field, i+1)
	}
	if l.node == s.top {
		s.emit(&s.msg)
		s.msg.reset()
		s.broken = false
	}
	if s.depth == 0 {
		s.state, s.done = atRoot, true
		return i + 1
	}
	s.state = afterVal
	if i+1 < len(p) {
		return s.after(p, i+1)
	}
	return i + 1
}

// suspend keeps what is needed of a piece whose memory is about to be reused.
func (s *scanner) suspend() {
	if s.unfinished() {
		s.msg.suspend()
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
