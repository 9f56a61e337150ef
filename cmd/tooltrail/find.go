package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/internal/term"
	"github.com/tooltrail/tooltrail/trail"
)

// A found is an event and the place where it stands.
type found struct {
	event *audit.CallEvent
	line  trail.Line // its bytes are a copy
}

// maxCandidates is how many calls are named when a prefix fits several.
const maxCandidates = 10

// A callSearch looks for the calls whose id begins with a prefix. Ids are
// compared without regard to case, as ULIDs are.
type callSearch struct {
	prefix string
	found  []found
	more   int // that fit but were not kept
}

// search looks through the trails at p.
func (s *callSearch) search(p *place, g *grumbler) error {
	needle := []byte(`"call_id":`)
	for line, err := range trail.Read(p.path, nil) {
		var corrupt *trail.CorruptError
		switch {
		case errors.As(err, &corrupt):
			g.corrupt(corrupt)
			continue
		case err != nil:
			return explainRead(err)
		case line.Kind() == trail.Note:
			continue
		}
		// Our own lines have the id in front; only what may fit is decoded.
		if id, ok := bytes.CutPrefix(afterTime(line.Bytes), needle); ok && !s.mayFit(id) {
			continue
		}
		switch kindOf(line.Bytes) {
		case trail.Unknown:
			g.line(line, notOurs)
			continue
		case trail.Note, trail.Redacted:
			continue
		}
		ev, err := audit.Decode(line.Bytes)
		if err != nil {
			g.line(line, err.Error())
			continue
		}
		s.take(ev, line)
	}
	return nil
}

// afterTime returns what follows the timestamp of an event's line; nil where
// the line is none that we write.
func afterTime(line []byte) []byte {
	if (trail.Line{Bytes: line}).Kind() != trail.Event {
		return nil
	}
	_, rest, _ := bytes.Cut(line, []byte(`",`))
	return rest
}

// mayFit judges by the bytes of a JSON string. One with escapes may fit.
func (s *callSearch) mayFit(quoted []byte) bool {
	if len(quoted) <= len(s.prefix) {
		return true
	}
	head := quoted[1 : 1+len(s.prefix)]
	return bytes.EqualFold(head, []byte(s.prefix)) || bytes.IndexByte(head, '\\') >= 0
}

func (s *callSearch) take(ev *audit.CallEvent, line trail.Line) {
	if len(ev.CallID) < len(s.prefix) || !strings.EqualFold(ev.CallID[:len(s.prefix)], s.prefix) {
		return
	}
	exact := len(ev.CallID) == len(s.prefix)
	if len(s.found) >= maxCandidates && !exact {
		s.more++
		return
	}
	line.Bytes = bytes.Clone(line.Bytes)
	s.found = append(s.found, found{ev, line})
}

// result returns the lines of the one call that was found. One call may stand
// on several lines, because delivery may be retried. An id that is complete
// wins over longer ones that begin with it.
func (s *callSearch) result() ([]found, error) {
	var exact []found
	for _, f := range s.found {
		if len(f.event.CallID) == len(s.prefix) {
			exact = append(exact, f)
		}
	}
	if len(exact) > 0 {
		return exact, nil
	}
	if len(s.found) == 0 {
		return nil, &hintError{fmt.Errorf("there is no call %s", s.prefix),
			"tooltrail tail --id, which shows the ids; or another --trail"}
	}
	for _, f := range s.found {
		if f.event.CallID != s.found[0].event.CallID {
			return nil, s.ambiguous()
		}
	}
	return s.found, nil
}

func (s *callSearch) ambiguous() error {
	var names []string
	for _, f := range s.found {
		if !slices.Contains(names, f.event.CallID) {
			names = append(names, f.event.CallID)
		}
	}
	text := strings.Join(names, ", ")
	if s.more > 0 {
		text += fmt.Sprintf(" and %d more", s.more)
	}
	return &hintError{fmt.Errorf("%s fits several calls: %s", s.prefix, term.Safe(text)), "more letters of the id"}
}
