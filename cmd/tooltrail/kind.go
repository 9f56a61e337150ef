package main

import (
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/query"
	"github.com/tooltrail/tooltrail/trail"
)

// Two filters that tell lines apart as package query does: by their fields,
// in whatever order and with whatever white space they stand. Programs of
// others write lines, too.
var (
	anyEvent = mustParse("outcome:*")
	anyLine  = mustParse()
)

func mustParse(words ...string) *query.Filter {
	f, err := query.Parse(words, time.Time{})
	if err != nil {
		panic(err)
	}
	return f
}

// kindOf says what a line holds, judged by its fields.
func kindOf(line []byte) trail.Kind {
	switch {
	case (trail.Line{Bytes: line}).Kind() == trail.Redacted:
		return trail.Redacted
	case anyEvent.Match(line):
		return trail.Event
	case anyLine.Match(line):
		return trail.Note
	}
	return trail.Unknown
}

// timeOf returns a line's timestamp, wherever in the line it stands; ok is
// false where it has none.
func timeOf(l trail.Line) (at time.Time, ok bool) {
	if at, ok := l.Time(); ok {
		return at, true
	}
	if l.Kind() == trail.Unknown {
		if ev, err := audit.Decode(l.Bytes); err == nil {
			return ev.Time, true
		}
		if n, err := parseNote(l.Bytes); err == nil {
			return n.at, !n.at.IsZero()
		}
	}
	return time.Time{}, false
}
