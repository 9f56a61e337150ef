package main

import (
	"github.com/tooltrail/tooltrail/trail"
)

// A matcher says which events are wanted. nil wants all.
type matcher interface{ Match(line []byte) bool }

// parseFilter reads a command's filter words. No words are a nil matcher.
func (a *app) parseFilter(args []string) (matcher, error) {
	words := filterWords(args)
	if len(words) == 0 {
		return nil, nil
	}
	return nil, usagef("unknown filter word %q", words[0])
}

// pick returns what tail shows: the events that m wants, with losses; and
// without a filter all notes too. Lines that are not ours are reported.
func pick(m matcher, g *grumbler) picker {
	return func(l trail.Line) bool {
		switch l.Kind() {
		case trail.Event:
			return m == nil || m.Match(l.Bytes)
		case trail.Note:
			return m == nil || declaresLoss(l.Bytes)
		}
		g.line(l, "neither an event nor a note")
		return false
	}
}

// declaresLoss reports whether a note says that events were lost.
func declaresLoss(line []byte) bool {
	n, err := parseNote(line)
	return err == nil && n.lost != nil
}
