package query

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tooltrail/tooltrail/trail"
)

// A Filter says which lines are wanted. The zero value and nil let everything
// pass. It does not change, and may be used by several goroutines at once.
type Filter struct {
	terms []term
	need  uint16 // fields that the terms look at
}

// A term is one word of a filter.
type term struct {
	key      key
	not      bool
	text     string        // keyText
	finder   *finder       // keyText
	any      []pattern     // keys with names
	outcomes uint8         // keyOutcome: a bit for each kind
	when     time.Time     // keySince, keyUntil
	nanos    int64         // when, as lines are compared
	min      time.Duration // keyMin
}

// needs are the fields that a key looks at.
var needs = [...]uint16{
	keyTool: fieldTool, keyCaller: fieldCaller, keyServer: fieldServer, keyMin: fieldDuration,
	keyID: fieldID, keySession: fieldSession, keyPrincipal: fieldPrincipal,
}

func newFilter(terms []term) *Filter {
	f := &Filter{terms: terms}
	for _, t := range terms {
		f.need |= needs[t.key]
	}
	return f
}

// String returns the filter in canonical form: what [Parse] makes of it is the
// same filter, at any time of the day.
func (f *Filter) String() string {
	if f == nil {
		return ""
	}
	words := make([]string, len(f.terms))
	for i := range f.terms {
		words[i] = f.terms[i].String()
	}
	return strings.Join(words, " ")
}

func (t *term) String() string {
	sign := ""
	if t.not {
		sign = "-"
	}
	switch t.key {
	case keyText:
		if needsQuotes(t.text) || strings.Contains(t.text, ":") || t.text[0] == '-' {
			return sign + quote(t.text)
		}
		return sign + t.text
	case keySince, keyUntil:
		return sign + keyNames[t.key] + ":" + t.when.UTC().Format(time.RFC3339Nano)
	case keyMin:
		return sign + keyNames[t.key] + ":" + t.min.String()
	}
	values := make([]string, len(t.any))
	for i := range t.any {
		values[i] = t.any[i].String()
	}
	return sign + keyNames[t.key] + ":" + strings.Join(values, ",")
}

// Match reports whether a line passes the filter. A word about a field of
// events is false for a note; a line that is neither never passes. Scans that
// read many lines use [Scan], which is faster.
func (f *Filter) Match(line []byte) bool {
	m := newMatcher(f)
	kind := m.parse(line)
	return kind != trail.Unknown && kind != trail.Redacted && m.match(line, kind)
}

// Range returns the times between which the filter lets lines pass: not before
// since and before until. A zero time sets no bound.
func (f *Filter) Range() (since, until time.Time) {
	if f == nil {
		return
	}
	for i := range f.terms {
		switch t := &f.terms[i]; {
		case t.key == keySince && !t.not, t.key == keyUntil && t.not:
			if since.IsZero() || t.when.After(since) {
				since = t.when
			}
		case t.key == keyUntil && !t.not, t.key == keySince && t.not:
			if until.IsZero() || t.when.Before(until) {
				until = t.when
			}
		}
	}
	return since, until
}

// nanoRange is Range for comparing.
func (f *Filter) nanoRange() (since, until int64) {
	from, to := f.Range()
	since, until = math.MinInt64, math.MaxInt64
	if !from.IsZero() {
		since = nanos(from)
	}
	if !to.IsZero() {
		until = nanos(to)
	}
	return since, until
}

// A matcher holds lines against a filter. It is not safe for concurrent use.
type matcher struct {
	parser
	terms []term
}

func newMatcher(f *Filter) *matcher {
	m := &matcher{parser: parser{need: fieldsOfEvent}}
	if f != nil {
		m.terms = f.terms
		m.need |= f.need
	}
	return m
}

// match holds the line that was parsed last against the filter.
func (m *matcher) match(line []byte, kind trail.Kind) bool {
	for i := range m.terms {
		t := &m.terms[i]
		if m.holds(t, line, kind) == t.not {
			return false
		}
	}
	return true
}

// holds reports whether a term is true of the line, before its minus.
func (m *matcher) holds(t *term, line []byte, kind trail.Kind) bool {
	switch t.key {
	case keyText:
		return t.finder.in(line)
	case keySince:
		return m.has(fieldTime) && m.when >= t.nanos
	case keyUntil:
		return m.has(fieldTime) && m.when < t.nanos
	}
	if kind != trail.Event {
		return false
	}
	switch t.key {
	case keyOutcome:
		return t.outcomes>>m.outcome&1 != 0
	case keyMin:
		return m.duration() >= uint64((t.min+time.Microsecond-1)/time.Microsecond)
	case keyTool:
		return t.matches(m.tool.in(line))
	case keyCaller:
		return t.matches(m.caller.in(line))
	case keyCode:
		return t.matches(m.code.in(line))
	case keyServer:
		return t.matches(m.server.in(line))
	case keySession:
		return t.matches(m.session.in(line))
	case keyPrincipal:
		return t.matches(m.principal.in(line))
	}
	return t.begins(m.id.in(line))
}

func (t *term) matches(s []byte) bool {
	for i := range t.any {
		if t.any[i].match(s) {
			return true
		}
	}
	return false
}

// begins reports whether a call id begins with one of the values, in any case.
func (t *term) begins(id []byte) bool {
	s := []byte(upper(string(id)))
	return slices.ContainsFunc(t.any, func(p pattern) bool {
		if p.glob {
			return globMatch(p.text+"\xff", s)
		}
		return strings.HasPrefix(string(s), p.text)
	})
}
