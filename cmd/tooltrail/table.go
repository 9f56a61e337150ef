package main

import (
	"errors"
	"io"
	"strings"
	"time"

	"github.com/tooltrail/tooltrail/internal/term"
	"github.com/tooltrail/tooltrail/trail"
)

// A table shows lines of trails in aligned columns. It holds back its first
// rows to learn how wide the columns have to be; later rows are shown as they
// come, in columns that grow where they must.
type table struct {
	w       io.Writer
	palette term.Palette
	columns func() int // of the terminal, asked for every row; 0: cut nothing
	zone    *time.Location
	servers bool                   // show the servers
	ids     bool                   // show the calls' ids
	wanted  func(line []byte) bool // whether an event is shown

	held   []row // until the first flush
	open   bool  // rows are shown as they come
	widths [columnCount]int
	day    string
}

// maxHeld is how many rows are looked at to lay out the columns.
const maxHeld = 500

// paddedWidths bound the columns where nothing is cut, so that one odd value
// does not push everything aside.
var paddedWidths = [columnCount]int{12, 26, 24, 24, 32, 56, 9}

// leastWidths keep the columns from moving with every new row.
var leastWidths = [columnCount]int{columnOutcome: len("execution_failed"), columnDuration: len("12.34 s")}

// gap separates two columns.
const gap = "  "

func (a *app) table(w io.Writer, servers bool) *table {
	return &table{w: w, palette: a.outPalette(), columns: a.columns, zone: a.zone, servers: servers, wanted: everything}
}

func everything([]byte) bool { return true }

// add takes a line. A line that cannot be read is an error that wraps
// errUnreadable; any other error is one of writing.
func (t *table) add(line trail.Line) error {
	rows, err := rowsOf(line, t.zone, t.wanted)
	if err != nil {
		return &unreadableError{err}
	}
	for _, r := range rows {
		if t.open {
			err = errors.Join(err, t.show(r))
			continue
		}
		if t.held = append(t.held, r); len(t.held) >= maxHeld {
			err = t.flush()
		}
	}
	return err
}

// An unreadableError says that a line is not what its beginning promises.
type unreadableError struct{ error }

// flush shows the rows that were held back. From then on rows are shown as
// they come.
func (t *table) flush() error {
	for _, r := range t.held {
		t.learn(r)
	}
	held := t.held
	t.held, t.open = nil, true
	for _, r := range held {
		if err := t.show(r); err != nil {
			return err
		}
	}
	return nil
}

// learn widens the columns for r.
func (t *table) learn(r row) {
	if r.banner != "" {
		return
	}
	cut := t.columns() > 0
	for i, c := range r.cells {
		width := term.Width(c)
		if !cut {
			width = min(width, paddedWidths[i])
		}
		t.widths[i] = max(t.widths[i], width, leastWidths[i])
	}
}

func (t *table) show(r row) error {
	t.learn(r)
	var b strings.Builder
	if day := r.at.Format("Monday, 2 January 2006"); day != t.day && !r.at.IsZero() {
		t.day = day
		t.writeBanner(&b, day, term.Bold)
	}
	if r.banner != "" {
		t.writeBanner(&b, r.banner, r.colour)
	} else {
		t.writeCells(&b, r)
	}
	_, err := io.WriteString(t.w, b.String())
	return err
}

func (t *table) writeBanner(b *strings.Builder, text string, colour term.Colour) {
	const left, right = "── ", " ──"
	if columns := t.columns(); columns > 0 {
		text = term.Cut(text, columns-term.Width(left+right))
	}
	b.WriteString(t.palette.Paint(colour, left+text+right))
	b.WriteByte('\n')
}

func (t *table) writeCells(b *strings.Builder, r row) {
	columns := t.columns()
	widths := t.fitted(columns)
	for i, c := range r.cells {
		if !t.has(i, columns) {
			continue
		}
		if columns > 0 {
			c = term.Cut(c, widths[i])
		}
		if i == columnDuration {
			b.WriteString(t.palette.Paint(term.Dim, term.PadLeft(c, widths[i])))
			continue
		}
		// The padding stays outside of the colour: nothing of it is seen.
		b.WriteString(t.paint(i, r, c))
		b.WriteString(term.Pad("", widths[i]-term.Width(c)))
		b.WriteString(gap)
	}
	b.WriteByte('\n')
}

// roomForIDs is how wide a terminal has to be to show callers beside ids.
const roomForIDs = 100

// has reports whether a column is shown on a terminal with so many columns.
func (t *table) has(column, columns int) bool {
	switch column {
	case columnID:
		return t.ids
	case columnServer:
		return t.servers
	case columnCaller:
		return !t.ids || columns == 0 || columns >= roomForIDs
	}
	return true
}

// paint colours a cell. Of an outcome it is the kind that has a colour; the
// eye finds it, and the rest can be read.
func (t *table) paint(column int, r row, text string) string {
	if column != columnOutcome {
		return t.palette.Paint(cellColour(column, r), text)
	}
	kind, detail, more := strings.Cut(text, " ")
	if more {
		detail = " " + detail
	}
	return t.palette.Paint(outcomeColour(r.kind), kind) + detail
}

func cellColour(column int, r row) term.Colour {
	switch column {
	case columnTime, columnID, columnServer:
		return term.Dim
	case columnCaller:
		return term.Cyan
	}
	return term.Plain
}

// fitted returns the widths on a terminal with so many columns: time, id and
// duration as they are, the others in what remains.
func (t *table) fitted(columns int) [columnCount]int {
	if columns == 0 {
		return t.widths
	}
	var flexible []int
	for _, c := range []int{columnServer, columnCaller, columnTool, columnOutcome} {
		if t.has(c, columns) {
			flexible = append(flexible, c)
		}
	}
	room := columns - t.widths[columnTime] - t.widths[columnDuration] - len(gap)*(len(flexible)+1)
	if t.ids {
		room -= t.widths[columnID] + len(gap)
	}
	natural := make([]int, len(flexible))
	for i, c := range flexible {
		natural[i] = t.widths[c]
	}
	widths := t.widths
	for i, w := range fit(natural, room) {
		widths[flexible[i]] = w
	}
	return widths
}

// narrowest is what a column keeps on the narrowest terminal.
const narrowest = 4

// fit divides room among columns: those that need less than an even share get
// what they need, the others share the rest.
func fit(natural []int, room int) []int {
	widths := make([]int, len(natural))
	for left, settled := len(natural), false; left > 0 && !settled; {
		settled = true
		share := room / left
		for i, need := range natural {
			if widths[i] == 0 && need > 0 && need <= share {
				widths[i] = need
				room -= need
				left--
				settled = false
			}
		}
		if settled {
			for i := range widths {
				if widths[i] == 0 {
					widths[i] = max(share, narrowest)
				}
			}
		}
	}
	return widths
}
