package relay

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/tooltrail/tooltrail/audit"
)

// maxText is how much of a name, or of an error's text, is kept, in bytes.
const maxText = 4 << 10

// maxCallArgs is how much of one call's arguments is kept, in bytes.
const maxCallArgs = 1 << 20

// newCall makes a call from its request.
func (o *Observer) newCall(m *message, at time.Time) *call {
	c := &call{
		id: audit.NewCallID(), start: at, active: at, peer: peerOf(m),
		argsBytes: m.size(fArgs), taskWanted: m.has(fTaskWanted) && m.kind(fTaskWanted) != 'n',
	}
	c.tool, c.toolCut = toolName(m)
	c.trace, c.span = traceContext(m.inner(fTrace))
	if m.ambiguous {
		c.flag(audit.FlagAmbiguousKeys)
	}
	return c
}

// toolName returns the called tool's name and, where it is too long to keep,
// what it was.
func toolName(m *message) (string, *audit.Truncation) {
	b := m.inner(fName)
	if len(b) <= maxText {
		return decode(b, maxText), nil
	}
	if escaped(b) {
		b = appendUnescaped(nil, b)
	}
	cutName := &audit.Truncation{Field: "tool_id", Bytes: int64(len(b))}
	if m.whole(fName) {
		sum := sha256.Sum256(b)
		cutName.SHA256 = hex.EncodeToString(sum[:])
	} else {
		cutName.Bytes = m.size(fName) - 2
	}
	if len(b) <= maxText {
		cutName = nil
	}
	return string(cut(b, maxText)), cutName
}

func (c *call) flag(f string) {
	if !slices.Contains(c.flags, f) {
		c.flags = append(c.flags, f)
	}
}

// keepArgs keeps a call's arguments for a check against the tool's schema and
// for their digest, which can wait; arguments too large for that are digested
// now. o.mu is held.
func (o *Observer) keepArgs(c *call, m *message) {
	if !m.has(fArgs) {
		c.args = noArgs
		return
	}
	b := m.raw(fArgs)
	if m.whole(fArgs) && len(b) <= maxCallArgs && o.track.argBytes+int64(len(b)) <= maxArgs {
		c.args = bytes.Clone(b)
		return
	}
	c.argsMAC = o.mac(m, fArgs)
}

// noArgs are the arguments of a call that has none, as opposed to nil: none
// that were kept.
var noArgs = []byte{}

// mac returns the keyed digest of a field's JSON text, or "".
func (o *Observer) mac(m *message, f field) string {
	v := &m.vals[f]
	switch {
	case o.digest == nil || !m.has(f):
		return ""
	case v.carried && v.summed:
		return hex.EncodeToString(v.sum.Sum(nil))
	case !m.whole(f):
		return ""
	}
	return o.macBytes(v.b)
}
