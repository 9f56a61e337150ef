package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/query"
	"github.com/tooltrail/tooltrail/trail"
)

// filterHelp explains filter words in the help of the commands that take them.
const filterHelp = `A filter is a list of words, all of which must hold:

  tool:fs.*       the tool; * stands for any text, ? for one character
  caller:cli,ide  the caller is one of these: a comma means any of
  server:files    the server; likewise principal: and session:
  outcome:error   everything but success; or one of the six kinds
  code:TIMEOUT    the code of execution_failed
  since:2h        not older; until:2026-11-24 not younger than that day
  min:50ms        took at least this long
  id:01KSSVP      the call's id begins so
  timeout         a bare word: its text stands anywhere in the stored line,
                  in any case; a comma is a part of it
  -tool:read_*    a minus in front: the word must not hold
  "two words"     quotes keep a value together, and make it literal

So caller:ci tool:pay is both, caller:ci,ide either. A shell wants quotes around
* and ?; a bare word with a minus needs -- before it: tooltrail query -- -timeout`

// parseFilter reads a command's filter words. Times without a zone are local.
func (a *app) parseFilter(args []string) (*query.Filter, error) {
	f, err := query.Parse(filterWords(args), a.now().In(a.zone))
	var parse *query.ParseError
	switch {
	case errors.As(err, &parse):
		hint := meantWord(parse)
		if hint == "" {
			hint = "tooltrail query --help, which lists the words"
		}
		return nil, &usageError{Err: fmt.Errorf("filter word %q: %w", parse.Word, parse.Err), Hint: hint}
	case err != nil:
		return nil, &usageError{Err: err}
	}
	return f, nil
}

// meantWord suggests a word for an outcome that there is not: one whose name
// holds what was typed, or the code of that name.
func meantWord(parse *query.ParseError) string {
	var unknown *query.UnknownError
	if !errors.As(parse.Err, &unknown) || unknown.What != "outcome" || unknown.Nearest != "" || len(unknown.Name) < 2 {
		return ""
	}
	minus := ""
	if strings.HasPrefix(parse.Word, "-") {
		minus = "-"
	}
	name := strings.ToLower(unknown.Name)
	for _, known := range unknown.Known {
		if strings.Contains(known, name) || name == "ok" && known == audit.KindSuccess.String() {
			return minus + "outcome:" + known
		}
	}
	if code := strings.ToUpper(name); slices.Contains(ourCodes, code) {
		return minus + "code:" + code
	}
	return ""
}

// ourCodes are codes of failures that are taken for outcomes.
var ourCodes = []string{
	audit.CodeToolError, audit.CodeTimeout, audit.CodeCancelled, audit.CodeServerExited, audit.CodeServerUnreachable,
	audit.CodeClientGone, audit.CodePanic, audit.CodeInternal, audit.CodeAbandoned,
}

// sayNoCalls tells people, not programs, that there is nothing to show.
func (a *app) sayNoCalls(words []string, asJSON bool) {
	switch {
	case asJSON:
	case len(words) > 0:
		fmt.Fprintln(a.stderr, "no calls pass the filter")
	default:
		fmt.Fprintln(a.stderr, "no calls")
	}
}

// A choice says which lines tail shows.
type choice struct {
	filter *query.Filter // nil: everything
	epochs bool          // show the notes of epochs
	losses bool          // show what was lost in the filter's time, too
	since  time.Time
	until  time.Time
}

// choose makes the choice of a filter that was given in words. Rows for people
// keep the losses; stored lines are only those that were asked for.
func choose(f *query.Filter, words []string, asJSON bool) *choice {
	if len(words) == 0 {
		return &choice{losses: true, epochs: asJSON}
	}
	c := &choice{filter: f, losses: !asJSON}
	c.since, c.until = f.Range()
	return c
}

// event reports whether an event is shown.
func (c *choice) event(line []byte) bool { return c.filter == nil || c.filter.Match(line) }

// picker picks the lines of which something is shown, and reports those that
// are not ours.
func (c *choice) picker(g *grumbler) picker {
	return func(l trail.Line) bool {
		switch kindOf(l.Bytes) {
		case trail.Event:
			return c.event(l.Bytes) || c.loss(l)
		case trail.Note:
			return c.filter == nil && (c.epochs || l.Note() != "epoch") || c.loss(l)
		case trail.Redacted:
			return false
		}
		g.line(l, notOurs)
		return false
	}
}

// loss reports whether a line declares a loss that is shown.
func (c *choice) loss(l trail.Line) bool {
	if !c.losses || !bytes.Contains(l.Bytes, lossKey) || !declaresLoss(l.Bytes) {
		return false
	}
	at, ok := timeOf(l)
	return !ok || !at.Before(c.since) && (c.until.IsZero() || at.Before(c.until))
}

// lossKey is what a line holds that declares a loss.
var lossKey = []byte(`"lost"`)

func declaresLoss(line []byte) bool {
	if ev, err := audit.Decode(line); err == nil {
		return ev.Lost != nil
	}
	n, err := parseNote(line)
	return err == nil && n.lost != nil
}

// notOurs is what is said of a line that is no event and no note.
const notOurs = "neither an event nor a note"
