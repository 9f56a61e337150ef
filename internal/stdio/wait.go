package stdio

import (
	"time"

	"github.com/tooltrail/tooltrail/internal/proc"
)

// lastWords is how long the output of a server may stay open without a word
// when nothing of it is left that we know of. Only a process that got away can
// hold it.
const lastWords = time.Second

// stopLimit is how long the rest of the output may take once we were told to
// stop and nothing of the server is left. With the ladder before it, a run is
// over within the 2 s after which common MCP clients kill.
const stopLimit = 250 * time.Millisecond

// wait waits for the end of the server and of its output.
func (s *session) wait() proc.ExitStatus {
	select {
	case <-s.carried:
	case <-s.child.Done():
		s.drain()
	}
	return s.child.Wait()
}

// drain waits for the output of a server of which nothing is left. The client
// may take its time to read it.
func (s *session) drain() {
	look := time.NewTicker(lastWords)
	defer look.Stop()
	stopped, limit, turns := s.stopped, (<-chan time.Time)(nil), s.replies.turns.Load()
	for {
		select {
		case <-s.carried:
			return
		case <-stopped:
			stopped, limit = nil, time.After(stopLimit)
		case <-limit:
			return
		case <-look.C:
			before := turns
			if turns = s.replies.turns.Load(); turns == before && !writing(turns) {
				return
			}
		}
	}
}
