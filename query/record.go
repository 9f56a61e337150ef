package query

import (
	"bytes"
	"math"

	"github.com/tooltrail/tooltrail/trail"
)

// Fields of a line that filters and statistics speak of.
const (
	fieldTime = 1 << iota
	fieldTool
	fieldOutcome
	fieldID
	fieldCaller
	fieldDuration // duration_us
	fieldMillis   // duration_ms
	fieldServer
	fieldSession
	fieldPrincipal
	fieldLost
	fieldSeq
	fieldNote

	fieldsOfEvent = fieldTime | fieldTool | fieldOutcome // without these, a line is no event
)

// A record is what one line says, as far as it was asked for. Its texts lie in
// the line. Where a key stands twice, the first one counts.
type record struct {
	seen      uint16
	when      int64 // nanoseconds since 1970
	outcome   uint8 // an audit.OutcomeKind
	micros    int64 // duration
	millis    int64
	seq       uint64
	lost      []byte // the object
	id        text
	tool      text
	caller    text
	code      text
	server    text
	session   text
	principal text
	note      text
}

func (r *record) has(fields uint16) bool { return r.seen&fields == fields }

// kind says what the line is, once it was read.
func (r *record) kind() trail.Kind {
	switch {
	case r.has(fieldsOfEvent):
		return trail.Event
	case r.has(fieldNote) && !r.has(fieldTime|fieldTool):
		return trail.Note
	}
	return trail.Unknown
}

// duration returns the call's duration in microseconds. Lines before schema 4
// have only milliseconds.
func (r *record) duration() int64 {
	if r.has(fieldDuration) {
		return r.micros
	}
	return min(r.millis, math.MaxInt64/1000) * 1000
}

// A parser reads records. It is not safe for concurrent use.
type parser struct {
	need  uint16 // fields at which it may stop
	stamp stamper
	record
}

// parse reads line as far as the needed fields take, and returns its kind.
func (p *parser) parse(line []byte) trail.Kind {
	p.record = record{}
	w := walk(line)
	for p.seen&p.need != p.need {
		name, value, ok := w.next()
		if !ok {
			break
		}
		key := name.raw
		if name.escaped {
			key = name.bytes()
		}
		if !p.field(key, value) {
			return trail.Unknown
		}
	}
	if w.bad {
		return trail.Unknown
	}
	return p.kind()
}

// field takes one member. It returns false where a field without which a line
// is no event cannot be understood.
func (p *parser) field(key, value []byte) bool {
	switch string(key) {
	case "ts":
		return p.time(value)
	case "call_id":
		p.text(&p.id, fieldID, value)
	case "tool_id":
		p.text(&p.tool, fieldTool, value)
		return p.has(fieldTool)
	case "caller_id":
		p.text(&p.caller, fieldCaller, value)
	case "duration_ms":
		p.number(&p.millis, fieldMillis, value)
	case "outcome":
		return p.has(fieldOutcome) || p.ending(value)
	case "seq":
		p.sequence(value)
	case "lost":
		if p.take(fieldLost) {
			p.lost = value
		}
	case "duration_us":
		p.number(&p.micros, fieldDuration, value)
	case "principal":
		p.text(&p.principal, fieldPrincipal, value)
	case "session_id":
		p.text(&p.session, fieldSession, value)
	case "server":
		p.text(&p.server, fieldServer, value)
	case "note":
		p.text(&p.note, fieldNote, value)
		p.seen |= fieldNote
	}
	return true
}

// take marks a field as seen; it returns false where it was already.
func (r *record) take(field uint16) bool {
	fresh := r.seen&field == 0
	r.seen |= field
	return fresh
}

// text takes a string. What is not one leaves the field out.
func (r *record) text(to *text, field uint16, value []byte) {
	if value[0] != '"' || !r.take(field) {
		return
	}
	raw := value[1 : len(value)-1]
	*to = text{raw, bytes.IndexByte(raw, '\\') >= 0}
}

func (p *parser) time(value []byte) (ok bool) {
	if p.has(fieldTime) {
		return true
	}
	if value[0] != '"' {
		return false
	}
	raw := value[1 : len(value)-1]
	if p.when, ok = p.stamp.nanos(raw); !ok && bytes.IndexByte(raw, '\\') >= 0 {
		p.when, ok = p.stamp.nanos(text{raw, true}.bytes())
	}
	p.seen |= fieldTime
	return ok
}

// number takes a whole number that is not negative.
func (r *record) number(to *int64, field uint16, value []byte) {
	if n, ok := parseUint(value); ok && r.take(field) {
		*to = int64(min(n, math.MaxInt64))
	}
}

func (r *record) sequence(value []byte) {
	if n, ok := parseUint(value); ok && r.take(fieldSeq) {
		r.seq = n
	}
}

// parseUint reads decimal digits; what exceeds 64 bits reads as the largest.
func parseUint(b []byte) (n uint64, ok bool) {
	for _, c := range b {
		d := uint64(c - '0')
		if d > 9 {
			return 0, false
		}
		if n > (math.MaxUint64-d)/10 {
			n = math.MaxUint64
			continue
		}
		n = n*10 + d
	}
	return n, len(b) > 0
}

// ending takes the outcome. It returns false for a kind that is none of the
// six, since the set is closed.
func (r *record) ending(value []byte) bool {
	r.seen |= fieldOutcome
	if string(value) == `{"kind":"success"}` {
		r.outcome = 1
		return true
	}
	w := walk(value)
	for {
		name, v, ok := w.next()
		if !ok {
			return !w.bad && r.outcome != 0
		}
		switch string(name.bytes()) {
		case "kind":
			if r.outcome == 0 {
				r.outcome = outcomeOf(v)
			}
		case "code":
			if r.code.raw == nil && v[0] == '"' {
				raw := v[1 : len(v)-1]
				r.code = text{raw, bytes.IndexByte(raw, '\\') >= 0}
			}
		}
	}
}

// outcomeOf returns the kind that a quoted name means, or 0.
func outcomeOf(value []byte) uint8 {
	if len(value) < 2 || value[0] != '"' {
		return 0
	}
	raw := value[1 : len(value)-1]
	name := text{raw, bytes.IndexByte(raw, '\\') >= 0}.bytes()
	for k, n := range outcomeNames {
		if n != "" && n == string(name) {
			return uint8(k)
		}
	}
	return 0
}
