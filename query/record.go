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
	if len(line) == 0 || line[len(line)-1] != '}' && !endsSpaced(line) {
		return trail.Unknown
	}
	w := walker{b: line, i: p.usual()}
	if w.i == 0 {
		p.record = record{}
		w = walk(line, 0)
	}
	for p.seen&p.need != p.need {
		name, from, to, ok := w.next()
		if !ok {
			break
		}
		if !p.field(name.in(line), from, to) {
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
func (p *parser) field(key []byte, from, to int) bool {
	switch string(key) {
	case "ts":
		return p.has(fieldTime) || p.time(from, to)
	case "call_id":
		p.text(&p.id, fieldID, from, to)
	case "tool_id":
		p.text(&p.tool, fieldTool, from, to)
		return p.has(fieldTool)
	case "caller_id":
		p.text(&p.caller, fieldCaller, from, to)
	case "duration_ms":
		p.number(&p.millis, fieldMillis, from, to)
	case "outcome":
		return p.has(fieldOutcome) || p.ending(from, to)
	case "seq":
		p.number(&p.seq, fieldSeq, from, to)
	case "lost":
		if p.take(fieldLost) {
			p.lost = text{int32(from), int32(to), false}
		}
	case "duration_us":
		p.number(&p.micros, fieldDuration, from, to)
	case "principal":
		p.text(&p.principal, fieldPrincipal, from, to)
	case "session_id":
		p.text(&p.session, fieldSession, from, to)
	case "server":
		p.text(&p.server, fieldServer, from, to)
	case "note":
		p.text(&p.note, fieldNote, from, to)
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
func (p *parser) text(to *text, field uint16, start, end int) {
	if p.line[start] == '"' && p.take(field) {
		*to, _ = stringAt(p.line[:end], start)
	}
}

func (p *parser) time(from, to int) (ok bool) {
	t, _ := stringAt(p.line[:to], from)
	p.when, ok = p.stamp.nanos(t.in(p.line))
	p.take(fieldTime)
	return ok
}

// number takes a whole number that is not negative.
func (p *parser) number(to *uint64, field uint16, start, end int) {
	if n, ok := parseUint(p.line[start:end]); ok && p.take(field) {
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
	for {
		name, from, to, ok := w.next()
		if !ok {
			return !w.bad && p.outcome != 0
		}
		switch string(name.in(p.line)) {
		case "kind":
			if p.outcome == 0 {
				t, _ := stringAt(p.line[:to], from)
				p.outcome = outcomeOf(t.in(p.line))
			}
		case "code":
			if !hasCode && p.line[from] == '"' {
				p.code, _ = stringAt(p.line[:to], from)
				hasCode = true
			}
		}
	}
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
