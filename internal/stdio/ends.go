package stdio

import (
	"io"
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
