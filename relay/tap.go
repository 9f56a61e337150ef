package relay

import (
	"bytes"
	"sync"
	"time"
)

// A Tap observes the bytes of one direction of a newline-delimited stream, in
// pieces of any size. What it keeps is bounded, whatever passes.
type Tap struct {
	o    *Observer
	mu   sync.Mutex
	s    scanner
	at   time.Time // when the piece arrived
	over *scanner  // goes on over the newline; see newline
}

// ClientTap returns a Tap for a stream from the client. A piece must be
// observed before it is passed on, so that a call is known before its reply.
func (o *Observer) ClientTap() *Tap {
	t := &Tap{o: o, over: new(scanner)}
	t.init(&t.s, func(m *message) { o.clientMessage(m, t.at) })
	t.init(t.over, func(m *message) {
		if t.over.broken { // else it stood in a line of its own, and was seen there
			m.ambiguous = true
			o.clientMessage(m, t.at)
		}
	})
	return t
}

// ServerTap returns a Tap for a stream from the server. A piece may be passed
// on before it is observed, so that a reply is not delayed.
func (o *Observer) ServerTap() *Tap {
	t := &Tap{o: o}
	t.init(&t.s, func(m *message) { o.serverMessage(m, t.at) })
	return t
}

func (t *Tap) init(s *scanner, emit func(*message)) {
	s.top, s.emit, s.msg.digest = nMessage, emit, t.o.digest
}

// Observe looks at the next piece of the stream, which arrived just now. The
// piece is not kept.
func (t *Tap) Observe(piece []byte) { t.ObserveAt(piece, t.o.now()) }

// ObserveAt is Observe for a piece that arrived at a given time.
func (t *Tap) ObserveAt(piece []byte, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer t.survive()
	t.at = at
	for len(piece) > 0 {
		end := bytes.IndexByte(piece, '\n')
		if end < 0 {
			t.feed(piece)
			t.suspend()
			return
		}
		t.feed(piece[:end])
		t.newline()
		piece = piece[end+1:]
	}
}

func (t *Tap) observeFrame(frame []byte) {
	at := t.o.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	defer t.survive()
	t.at = at
	t.feed(frame)
	t.s.reset()
}

func (t *Tap) feed(piece []byte) {
	if t.over == nil {
		t.s.msg.keepTools = t.o.listing.Load() > 0
		t.s.msg.noDigest = t.o.inFlight.Load() == 0
	}
	t.s.feed(piece)
	if t.over != nil && t.over.unfinished() {
		t.over.feed(piece)
	}
}

func (t *Tap) suspend() {
	t.s.suspend()
	if t.over != nil {
		t.over.suspend()
	}
}

// newline ends a frame. A client's message that is not finished there goes on
// being read in t.over as well: a server which reads a stream of JSON values
// and not lines, as Go's json.Decoder does, runs a call that is written over
// several lines. Such a server allows no line break inside a string and no
// other fault, so that a torn line does not swallow those after it.
func (t *Tap) newline() {
	if t.over != nil {
		switch {
		case t.over.canBreak():
			t.over.breakLine()
		case t.s.canBreak():
			t.over, t.s = t.takeOver()
			t.over.breakLine()
		default:
			t.over.reset()
		}
	}
	t.s.reset()
}

// canBreak says whether a message has begun that may go on in the next line.
func (s *scanner) canBreak() bool {
	return s.unfinished() && s.state != inText && s.state != inSkipText && s.state != inKey
}

// breakLine reads a line break between pieces.
func (s *scanner) breakLine() {
	s.suspend()
	s.feed(lineBreak)
	s.suspend()
	s.broken = s.broken || s.depth > 1 || s.depth == 1 && s.levels[0].node == s.top
}

var lineBreak = []byte("\n")

// takeOver returns the scanner of lines as the one that goes on, and a fresh
// one for lines. Each keeps its own way to emit.
func (t *Tap) takeOver() (*scanner, scanner) {
	on, fresh := t.s, *t.over
	on.emit, fresh.emit = t.over.emit, t.s.emit
	on.strict, fresh.strict = true, false
	return &on, fresh
}

// End says that the stream has ended. Calls whose reply was cut off get
// [FlagHalfReply].
func (t *Tap) End() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if m := &t.s.msg; t.over == nil && t.s.unfinished() && m.has(fID) {
		t.o.halfReply(m)
	}
	t.s.reset()
}

// survive keeps a fault of ours from stopping the bytes.
func (t *Tap) survive() {
	if r := recover(); r != nil {
		t.s.reset()
		if t.over != nil {
			t.over.reset()
		}
		t.o.log.Error("relay: observer panicked; a call may lack its event", "panic", r)
	}
}
