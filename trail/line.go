package trail

import (
	"bytes"
	"fmt"
	"math"
	"time"
)

// A Kind is what a line holds.
type Kind uint8

// The kinds of lines.
const (
	Unknown  Kind = iota // neither: not written by us
	Event                // a finished call: {"ts":…
	Note                 // the trail's remark about itself: {"note":…
	Redacted             // what is left of an event that was erased: {"redacted":"…
)

// String returns "event", "note", "redacted" or "unknown".
func (k Kind) String() string {
	switch k {
	case Event:
		return "event"
	case Note:
		return "note"
	case Redacted:
		return "redacted"
	}
	return "unknown"
}

// A Line is one line of a trail.
type Line struct {
	// Trail is the name of its trail's directory: the slot.
	Trail string
	// Index is its place in the trail, from 0.
	Index uint64
	// Segment is the path of its file.
	Segment string
	// Offset is where it starts in the file, in bytes.
	Offset int64
	// Bytes is the line without its '\n'. It is valid only until the iteration
	// goes on; it must not be changed.
	Bytes []byte
}

var (
	eventPrefix    = []byte(`{"ts":`)
	notePrefix     = []byte(`{"note":`)
	redactedPrefix = []byte(`{"redacted":"`)
	noteTime       = []byte(`","ts":`)
)

// Kind says what the line holds, judged by its first bytes.
func (l Line) Kind() Kind { return kindOf(l.Bytes) }

func kindOf(b []byte) Kind {
	switch {
	case bytes.HasPrefix(b, eventPrefix):
		return Event
	case bytes.HasPrefix(b, notePrefix):
		return Note
	case bytes.HasPrefix(b, redactedPrefix):
		return Redacted
	}
	return Unknown
}

// Note returns the kind of note that the line is, such as "start", or "" where
// it is not a note.
func (l Line) Note() string { return noteKind(l.Bytes) }

func noteKind(b []byte) string {
	rest, ok := bytes.CutPrefix(b, notePrefix)
	if !ok || len(rest) == 0 || rest[0] != '"' {
		return ""
	}
	end := bytes.IndexByte(rest[1:], '"')
	if end < 0 {
		return ""
	}
	return string(rest[1 : 1+end])
}

// Time returns the line's timestamp; ok is false where it has none.
func (l Line) Time() (ts time.Time, ok bool) {
	ns, ok := lineNanos(l.Bytes)
	if !ok {
		return time.Time{}, false
	}
	return time.Unix(0, ns).UTC(), true
}

// lineNanos returns the line's timestamp in nanoseconds since 1970.
func lineNanos(b []byte) (int64, bool) {
	if rest, ok := bytes.CutPrefix(b, eventPrefix); ok {
		return stampNanos(rest)
	}
	if !bytes.HasPrefix(b, notePrefix) {
		return 0, false
	}
	head := b[:min(len(b), 96)]
	i := bytes.Index(head, noteTime)
	if i < 0 {
		return 0, false
	}
	return stampNanos(b[i+len(noteTime):])
}

// stampNanos reads a quoted RFC 3339 timestamp. The shape that we write, which
// is in UTC, is read by hand; others go through package time.
func stampNanos(b []byte) (int64, bool) {
	if len(b) < 2 || b[0] != '"' {
		return 0, false
	}
	end := bytes.IndexByte(b[1:min(len(b), 64)], '"')
	if end < 0 {
		return 0, false
	}
	s := b[1 : 1+end]
	if ns, ok := utcNanos(s); ok {
		return ns, true
	}
	t, err := time.Parse(time.RFC3339Nano, string(s))
	if err != nil || t.Year() < 1678 || t.Year() > 2261 {
		return 0, false
	}
	return t.UnixNano(), true
}

// utcNanos reads 2026-05-29T12:34:56[.fraction](+00:00|Z).
func utcNanos(s []byte) (int64, bool) {
	const date = len("2026-05-29T12:34:56")
	if len(s) <= date || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return 0, false
	}
	var f [6]int
	for i, at := range [...][2]int{{0, 4}, {5, 7}, {8, 10}, {11, 13}, {14, 16}, {17, 19}} {
		n, ok := digits(s[at[0]:at[1]])
		if !ok {
			return 0, false
		}
		f[i] = n
	}
	rest := s[date:]
	nanos := 0
	if rest[0] == '.' {
		scale := 100_000_000
		for rest = rest[1:]; len(rest) > 0 && rest[0] >= '0' && rest[0] <= '9'; rest = rest[1:] {
			nanos += int(rest[0]-'0') * scale
			scale /= 10
		}
	}
	if string(rest) != "+00:00" && string(rest) != "Z" {
		return 0, false
	}
	if f[0] < 1678 || f[0] > 2261 || f[1] < 1 || f[1] > 12 || f[2] < 1 || f[2] > 31 || f[3] > 23 || f[4] > 59 || f[5] > 59 {
		return 0, false
	}
	secs := daysSince1970(f[0], f[1], f[2])*86400 + int64(f[3])*3600 + int64(f[4])*60 + int64(f[5])
	return secs*1e9 + int64(nanos), true
}

func digits(s []byte) (n int, ok bool) {
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// daysSince1970 counts days in the proleptic Gregorian calendar, with years
// that start in March so that the leap day comes last.
func daysSince1970(year, month, day int) int64 {
	if month <= 2 {
		year, month = year-1, month+12
	}
	era := year / 400
	yoe := year - era*400
	doy := (153*(month-3)+2)/5 + day - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return int64(era)*146097 + int64(doe) - 719468
}

// noTime sorts before every timestamp.
const noTime = math.MinInt64

// A CorruptError says that a place in a trail could not be read. Readers skip
// it and go on.
type CorruptError struct {
	// Segment is the path of the file.
	Segment string
	// Line is the index of the line in the trail.
	Line uint64
	// Offset is where it starts in the file, in bytes.
	Offset int64
	// Err says what is wrong.
	Err error
}

// Error names the segment, the line, the offset and the cause.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("trail: %s: line %d at offset %d: %v", e.Segment, e.Line, e.Offset, e.Err)
}

// Unwrap returns the cause.
func (e *CorruptError) Unwrap() error { return e.Err }
