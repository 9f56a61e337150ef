package stdio

import (
	"io"
	"sync"
	"sync/atomic"
)

// A meter is the way to the client, and shows whether anything moves there.
type meter struct {
	client io.Writer
	// turns counts the beginnings and the ends of writes.
	turns atomic.Uint64
	// refused says that the client stopped reading. It belongs to the
	// goroutine that writes.
	refused bool
}

// writing says whether a write was under way at this count of turns.
func writing(turns uint64) bool { return turns%2 == 1 }

func (m *meter) Write(p []byte) (int, error) {
	m.turns.Add(1)
	defer m.turns.Add(1)
	n, err := m.client.Write(p)
	m.refused = err != nil
	return n, err
}

// A gate is the way from the client to the server. A piece of the client's
// bytes is in hand from the Read that returns it to the Write that passes it
// on; in between the observer sees it. So none is passed on unseen, and none is
// seen once the gate is shut. One goroutine reads and writes.
type gate struct {
	client io.Reader
	server io.Writer
	// refused says that the server stopped reading. It belongs to the
	// goroutine that reads and writes.
	refused bool

	inHand sync.Mutex // held from a Read to its Write
	closed bool       // guarded by inHand
}

// Read reads from the client. A gate that is shut is at its end.
func (g *gate) Read(p []byte) (int, error) {
	n, err := g.client.Read(p)
	if n == 0 {
		return 0, err
	}
	g.inHand.Lock()
	if g.closed {
		g.inHand.Unlock()
		return 0, io.EOF
	}
	return n, err
}

// Write passes on what the last Read returned.
func (g *gate) Write(p []byte) (int, error) {
	g.inHand.Unlock()
	n, err := g.server.Write(p)
	g.refused = err != nil
	return n, err
}

// shut shuts the gate once the observer has seen what is in hand.
func (g *gate) shut() {
	g.inHand.Lock()
	defer g.inHand.Unlock()
	g.closed = true
}
