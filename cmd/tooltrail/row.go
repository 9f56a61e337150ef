package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/internal/term"
	"github.com/tooltrail/tooltrail/trail"
)

// A row is one row of the table of events: cells, or a banner over the whole
// width.
type row struct {
	at     time.Time
	cells  [columnCount]string
	kind   audit.OutcomeKind
	banner string
	colour term.Colour // of the banner
}

// Columns of the table.
const (
	columnTime = iota
	columnID
	columnServer
	columnCaller
	columnTool
	columnOutcome
	columnDuration
	columnCount
)

// noValue stands where an event says nothing.
const noValue = "-"

// rowsOf returns the rows of a line: an event, if it is wanted, after the loss
// that it declares; or a note.
func rowsOf(line trail.Line, zone *time.Location, wanted func([]byte) bool) ([]row, error) {
	if kindOf(line.Bytes) == trail.Note {
		n, err := parseNote(line.Bytes)
		if err != nil {
			return nil, err
		}
		return []row{{at: n.at.In(zone), banner: n.text(), colour: n.colour()}}, nil
	}
	ev, err := audit.Decode(line.Bytes)
	if err != nil {
		return nil, err
	}
	var rows []row
	if l := ev.Lost; l != nil {
		rows = append(rows, row{at: ev.Time.In(zone), banner: lossText(l.Count, string(l.Reason)), colour: term.Red})
	}
	if !wanted(line.Bytes) {
		return rows, nil
	}
	return append(rows, eventRow(ev, line.Trail, zone)), nil
}

func eventRow(ev *audit.CallEvent, slot string, zone *time.Location) row {
	r := row{at: ev.Time.In(zone), kind: ev.Outcome.Kind}
	r.cells = [columnCount]string{
		columnTime:     r.at.Format("15:04:05.000"),
		columnID:       cell(ev.CallID),
		columnServer:   cell(serverOf(ev, slot)),
		columnCaller:   cell(ev.CallerID),
		columnTool:     cell(ev.ToolID),
		columnOutcome:  cell(outcomeText(ev)),
		columnDuration: durationText(ev),
	}
	return r
}

// serverOf is the server's name, or that of the trail where the event has none.
func serverOf(ev *audit.CallEvent, slot string) string {
	if ev.Server != "" {
		return ev.Server
	}
	return slot
}

func cell(s string) string {
	if s == "" {
		return noValue
	}
	return term.Safe(s)
}

// outcomeText is an outcome by its name on the wire, with what it says further.
func outcomeText(ev *audit.CallEvent) string {
	text := ev.Outcome.Kind.String()
	if d := outcomeDetail(ev.Outcome); d != "" {
		text += " " + d
	}
	if ev.DryRun {
		text += " (dry run)"
	}
	return text
}

func outcomeDetail(o audit.Outcome) string {
	switch {
	case o.Kind == audit.KindExecutionFailed && o.Retryable:
		return o.Code + " (retryable)"
	case o.Kind == audit.KindExecutionFailed:
		return o.Code
	case o.Kind == audit.KindInvalidArgs:
		return o.Message
	case o.Kind == audit.KindCapabilityDenied:
		return strings.Join(o.Missing, ", ")
	case o.Kind == audit.KindRateLimited && o.RetryAfter > 0:
		return "for " + o.RetryAfter.String()
	}
	return ""
}

// outcomeColour tells at a glance who has to act: nobody, the tool's owner, or
// the caller.
func outcomeColour(k audit.OutcomeKind) term.Colour {
	switch k {
	case audit.KindSuccess:
		return term.Green
	case audit.KindExecutionFailed:
		return term.Red
	case audit.KindCapabilityDenied:
		return term.Purple
	}
	return term.Yellow
}

// durationText shows an event's duration. Lines of versions 1 to 3 know whole
// milliseconds only.
func durationText(ev *audit.CallEvent) string {
	if ev.SchemaVersion < 4 && ev.Duration == 0 {
		return "<1 ms"
	}
	return shortDuration(ev.Duration)
}

// shortDuration shows a duration in three to four digits and a unit.
func shortDuration(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < 100*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d.Truncate(100*time.Microsecond))/1e6)
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.2f s", float64(d.Truncate(10*time.Millisecond))/1e9)
	}
	return d.Truncate(time.Second).String()
}
