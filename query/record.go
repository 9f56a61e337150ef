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

// A record is what one line says, as far as it was asked for. Where a key
// stands twice, the first one counts.
type record struct {
	seen      uint16
	outcome   uint8 // an audit.OutcomeKind
	when      int64 // nanoseconds since 1970
	micros    uint64
	millis    uint64
	seq       uint64
	lost      text // the object, with its braces
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
func (r *record) duration() uint64 {
	if r.has(fieldDuration) {
		return r.micros
	}
	return min(r.millis, math.MaxInt64/1000) * 1000
}

// A parser reads records. It is not safe for concurrent use.
type parser struct {
	need  uint16 // fields at which it may stop
	stamp stamper
	line  []byte
	record
}

// parse reads line as far as the needed fields take, and returns its kind.
func (p *parser) parse(line []byte) trail.Kind {
	p.line, p.record = line, record{}
	if (trail.Line{Bytes: line}).Kind() == trail.Redacted {
		return trail.Redacted
	}
	if len(line) == 0 || line[len(line)-1] != '}' && !endsSpaced(line) {
		return trail.Unknown
	}
	w := walker{b: line, i: p.usual()}
	if w.i == 0 {
		p.record = record{}
		w = walk(line, 0)
	}
	for p.seen&p.need != p.need && w.next() {
		if !p.field(w.name.in(line), &w.member) {
			return trail.Unknown
		}
	}
	if w.bad {
		return trail.Unknown
	}
	return p.kind()
}

// endsSpaced reports whether a line ends in white space behind a brace.
func endsSpaced(line []byte) bool {
	return bytes.HasSuffix(bytes.TrimRight(line, " \t\r"), []byte("}"))
}

// field takes one member. It returns false where a field without which a line
// is no event cannot be understood.
func (p *parser) field(key []byte, m *member) bool {
	switch string(key) {
	case "ts":
		return p.has(fieldTime) || p.time(m)
	case "call_id":
		p.text(&p.id, fieldID, m)
	case "tool_id":
		p.text(&p.tool, fieldTool, m)
		return p.has(fieldTool)
	case "caller_id":
		p.text(&p.caller, fieldCaller, m)
	case "duration_ms":
		p.number(&p.millis, fieldMillis, m)
	case "outcome":
		return p.has(fieldOutcome) || p.ending(m.from, m.to)
	case "seq":
		p.number(&p.seq, fieldSeq, m)
	case "lost":
		if p.take(fieldLost) {
			p.lost = text{int32(m.from), int32(m.to), false}
		}
	case "duration_us":
		p.number(&p.micros, fieldDuration, m)
	case "principal":
		p.text(&p.principal, fieldPrincipal, m)
	case "session_id":
		p.text(&p.session, fieldSession, m)
	case "server":
		p.text(&p.server, fieldServer, m)
	case "note":
		p.text(&p.note, fieldNote, m)
		p.take(fieldNote)
	}
	return true
}

// take marks a field as seen; it returns false where it was already.
func (r *record) take(field uint16) bool {
	fresh := r.seen&field == 0
	r.seen |= field
	return fresh
}

// text takes a string. Another value leaves the field empty.
func (p *parser) text(to *text, field uint16, m *member) {
	if m.quoted && p.take(field) {
		*to = m.content
	}
}

func (p *parser) time(m *member) (ok bool) {
	if m.quoted {
		p.when, ok = p.stamp.nanos(m.content.in(p.line))
	}
	p.take(fieldTime)
	return ok
}

// number takes a whole number that is not negative.
func (p *parser) number(to *uint64, field uint16, m *member) {
	if n, ok := parseUint(p.line[m.from:m.to]); ok && p.take(field) {
		*to = n
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
func (p *parser) ending(from, to int) bool {
	p.take(fieldOutcome)
	hasCode := false
	w := walk(p.line[:to], from)
	for w.next() {
		switch string(w.name.in(p.line)) {
		case "kind":
			if p.outcome == 0 && w.quoted {
				p.outcome = outcomeOf(w.content.in(p.line))
			}
		case "code":
			if !hasCode && w.quoted {
				p.code, hasCode = w.content, true
			}
		}
	}
	return !w.bad && p.outcome != 0
}

// outcomeOf returns the kind of a name, or 0.
func outcomeOf(name []byte) uint8 {
	for k, n := range outcomeNames {
		if n != "" && n == string(name) {
			return uint8(k)
		}
	}
	return 0
}
