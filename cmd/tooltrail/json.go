package main

import (
	"encoding/json"
	"io"

	"github.com/tooltrail/tooltrail/internal/term"
)

// jsonHelp explains --json where it prints stored lines.
const jsonHelp = `With --json the lines are printed as they are stored. On a terminal, characters
that could steer it are written as \u escapes: the same JSON, made harmless.`

// A lineWriter prints stored lines.
type lineWriter struct {
	w io.Writer
	// safe makes lines harmless for a terminal. Ours are; those of other
	// programs may hold anything.
	safe bool
}

// lines returns the writer of stored lines to w, which ends at standard output.
func (a *app) lines(w io.Writer) *lineWriter {
	return &lineWriter{w, term.IsTerminal(a.stdoutFile)}
}

func (l *lineWriter) write(line []byte) error {
	if l.safe {
		line = []byte(term.SafeJSON(string(line)))
	}
	if _, err := l.w.Write(line); err != nil {
		return err
	}
	_, err := l.w.Write([]byte{'\n'})
	return err
}

// writeJSON writes a value as one line of JSON.
func writeJSON(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(value)
}
