package relay

import (
	"crypto/sha256"
	"slices"
	"time"
)

// A stateKey links a retry to the call it continues: a digest of the state
// that the server gave and the client gives back, or of the tool's name where
// there is no state (2026-07-28, multi round-trip requests).
type stateKey [sha256.Size]byte

func newStateKey(m *message, f field, tool string) stateKey {
	if m.kind(f) != '"' {
		return sha256.Sum256([]byte("tool:" + tool))
	}
	return sha256.Sum256([]byte("state:" + m.text(f, keep[f])))
}

// wait sets a call aside until the client comes back with what the server
// asked for. o.mu is held.
func (o *Observer) wait(c *call, m *message, at time.Time) {
	c.stage, c.state = stageWaiting, newStateKey(m, fNewState, c.tool)
	o.track.waiting[c.state] = append(o.track.waiting[c.state], c)
	o.track.touch(c, at)
}

// resume returns the call that a request continues, or nil. o.mu is held.
func (o *Observer) resume(m *message, retry *call) *call {
	if !m.has(fState) && !m.has(fInputs) {
		return nil
	}
	list := o.track.waiting[newStateKey(m, fState, retry.tool)]
	for _, c := range list {
		if c.tool == retry.tool {
			o.track.stopWaiting(c)
			c.stage = stageRunning
			for _, f := range retry.flags {
				c.flag(f)
			}
			return c
		}
	}
	return nil
}

func (t *tracker) stopWaiting(c *call) {
	list := t.waiting[c.state]
	if i := slices.Index(list, c); i >= 0 {
		list = slices.Delete(list, i, i+1)
	}
	if len(list) == 0 {
		delete(t.waiting, c.state)
		return
	}
	t.waiting[c.state] = list
}
