package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/tooltrail/tooltrail/audit"
)

// sleeping is a writer on a slow disk. It adds up what the stream says.
type sleeping struct {
	pause            time.Duration
	events, declared uint64
}

func (s *sleeping) Write(_ context.Context, b audit.Batch) error {
	time.Sleep(s.pause)
	for line := range b.All() {
		ev, err := audit.Decode(line)
		switch {
		case errors.Is(err, audit.ErrNote):
			s.declared += noteCount(line)
		case err != nil:
			return err
		default:
			s.events++
			if ev.Lost != nil {
				s.declared += ev.Lost.Count
			}
		}
	}
	return nil
}

func (s *sleeping) Close(context.Context) error { return nil }

// noteCount returns the count of a note that declares a loss.
func noteCount(line []byte) uint64 {
	var note struct{ Lost struct{ Count uint64 } }
	if json.Unmarshal(line, &note) != nil {
		return 0
	}
	return note.Lost.Count
}
