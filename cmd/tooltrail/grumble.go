package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/tooltrail/tooltrail/internal/term"
	"github.com/tooltrail/tooltrail/trail"
)

// maxGrumbles is how many bad places are reported one by one.
const maxGrumbles = 10

// A grumbler reports the places of a trail that could not be read, and counts
// them. Reading goes on behind them.
type grumbler struct {
	w       io.Writer
	palette term.Palette
	n       int
}

func (a *app) grumbler() *grumbler { return &grumbler{w: a.stderr, palette: a.errPalette()} }

// corrupt reports a place that the trail's reader skipped.
func (g *grumbler) corrupt(e *trail.CorruptError) {
	g.report(e.Segment, e.Line, e.Offset, e.Err.Error())
}

// line reports a line that is not ours.
func (g *grumbler) line(l trail.Line, why string) { g.report(l.Segment, l.Index, l.Offset, why) }

func (g *grumbler) report(segment string, line uint64, offset int64, why string) {
	g.n++
	if g.n > maxGrumbles {
		return
	}
	where := filepath.Join(filepath.Base(filepath.Dir(segment)), filepath.Base(segment))
	fmt.Fprintf(g.w, "%s %s: line %d at offset %d: %s; skipped\n",
		g.palette.Paint(term.Yellow, "tooltrail:"), term.Safe(where), line, offset, term.Safe(why))
}

// finish sums up.
func (g *grumbler) finish() {
	switch {
	case g.n == 1:
		fmt.Fprintln(g.w, "1 place could not be read; 'tooltrail doctor' tells more")
	case g.n > 1:
		fmt.Fprintf(g.w, "%d places could not be read; 'tooltrail doctor' tells more\n", g.n)
	}
}
