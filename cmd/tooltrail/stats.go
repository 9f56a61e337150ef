package main

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tooltrail/tooltrail/internal/term"
	"github.com/tooltrail/tooltrail/query"
)

const statsExample = `  tooltrail stats
  tooltrail stats since:1d --by tool
  tooltrail stats outcome:error --by code
  tooltrail stats --json | jq .duration_us.p99`

// A statsCmd counts calls.
type statsCmd struct {
	*app
	dir    string
	by     string
	asJSON bool
}

func newStatsCmd(a *app) *cobra.Command {
	s := &statsCmd{app: a}
	cmd := &cobra.Command{
		Use:   "stats [FILTER…]",
		Short: "Count calls, their durations, and losses",
		Long: `Count the calls that a filter chooses by outcome, tool, caller and server, with
their durations (the quantiles are within 1 %), and what was lost meanwhile.

` + filterHelp,
		Example:           statsExample,
		SuggestFor:        []string{"count", "summary", "top"},
		RunE:              func(cmd *cobra.Command, args []string) error { return s.run(cmd.Context(), args) },
		ValidArgsFunction: a.completeFilter,
	}
	trailFlag(cmd, &s.dir)
	cmd.Flags().StringVar(&s.by, "by", "", "show all rows of one `FIELD`: "+strings.Join(fieldNames(), ", "))
	cmd.Flags().BoolVar(&s.asJSON, "json", false, "print one JSON object")
	_ = cmd.RegisterFlagCompletionFunc("by", cobra.FixedCompletions(fieldNames(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// A grouping is a field by which calls are counted.
type grouping struct {
	name string
	of   func(*query.Stats) *query.Group
	// summary says that it is shown where no field was asked for.
	summary bool
}

var groupings = []grouping{
	{"outcome", func(s *query.Stats) *query.Group { return &s.Outcomes }, true},
	{"tool", func(s *query.Stats) *query.Group { return &s.Tools }, true},
	{"caller", func(s *query.Stats) *query.Group { return &s.Callers }, true},
	{"server", func(s *query.Stats) *query.Group { return &s.Servers }, false},
	{"code", func(s *query.Stats) *query.Group { return &s.Codes }, false},
}

func fieldNames() []string {
	names := make([]string, len(groupings))
	for i, g := range groupings {
		names[i] = g.name
	}
	return names
}

func (s *statsCmd) run(ctx context.Context, args []string) error {
	if s.by != "" && !slices.Contains(fieldNames(), s.by) {
		return usagef("--by is one of %s, not %q", strings.Join(fieldNames(), ", "), s.by)
	}
	f, err := s.parseFilter(args)
	if err != nil {
		return err
	}
	p, err := s.place(s.dir)
	if err != nil {
		return quietEnd(err)
	}
	st, err := query.Collect(ctx, p.path, f, nil)
	if err != nil {
		return explainRead(err)
	}
	out := bufio.NewWriter(s.stdout)
	if s.asJSON {
		err = writeJSON(out, s.report(st))
	} else {
		s.write(out, st)
	}
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return err
	}
	s.grumble(st)
	return nil
}

// grumble reports the places that were not counted.
func (s *statsCmd) grumble(st *query.Stats) {
	g := s.grumbler()
	for _, place := range st.Places {
		g.corrupt(place)
	}
	g.n = int(st.Bad)
	g.finish()
}

// summaryRows is how many rows of a field a summary shows.
const summaryRows = 10

// write shows the statistics as tables.
func (s *statsCmd) write(out *bufio.Writer, st *query.Stats) {
	palette := s.outPalette()
	fmt.Fprintln(out, palette.Paint(term.Bold, s.headline(st)))
	for _, reason := range slices.Sorted(maps.Keys(st.Lost)) {
		fmt.Fprintln(out, palette.Paint(term.Red, lossText(st.Lost[reason], reason)))
	}
	if st.Events == 0 {
		return
	}
	for _, g := range groupings {
		group := g.of(st)
		// A single server, or none, is no news.
		shown := g.summary || g.name == "server" && group.Len() > 1
		if s.by == g.name || s.by == "" && shown {
			fmt.Fprintln(out)
			s.writeGroup(out, g.name, group.Rows(), palette)
		}
	}
}

func (s *statsCmd) headline(st *query.Stats) string {
	if st.Events == 0 {
		return "no calls"
	}
	const layout = "2006-01-02 15:04:05"
	first, last := st.First.In(s.zone), st.Last.In(s.zone)
	to := last.Format(layout)
	if day := layout[:len("2006-01-02")]; first.Format(day) == last.Format(day) {
		to = last.Format(layout[len("2006-01-02 "):])
	}
	return fmt.Sprintf("%s, %s (%.1f %%), %s to %s", plural(st.Events, "call"), plural(st.Errors, "error"),
		100*float64(st.Errors)/float64(st.Events), first.Format(layout), to)
}

// writeGroup shows the rows of one field: in a summary, those with the most
// calls.
func (s *statsCmd) writeGroup(out *bufio.Writer, name string, rows []*query.Row, palette term.Palette) {
	more := 0
	if s.by == "" && len(rows) > summaryRows {
		more = len(rows) - summaryRows
		rows = rows[:summaryRows]
	}
	lines := [][]string{{name, "calls", "errors", "p50", "p95", "p99", "max"}}
	for _, r := range rows {
		d := &r.Durations
		lines = append(lines, []string{cell(r.Name), fmt.Sprint(r.Calls), fmt.Sprint(r.Errors),
			shortDuration(d.Quantile(0.5)), shortDuration(d.Quantile(0.95)), shortDuration(d.Quantile(0.99)), shortDuration(d.Max())})
	}
	writeColumns(out, lines, s.columns(), palette)
	if more > 0 {
		fmt.Fprintln(out, palette.Paint(term.Dim, fmt.Sprintf("and %d more; --by %s shows all", more, name)))
	}
}

// writeColumns writes a head and lines: the first column to the left, the
// others to the right. On a terminal of so many columns (0: any) the first is
// cut.
func writeColumns(out *bufio.Writer, lines [][]string, columns int, palette term.Palette) {
	widths := make([]int, len(lines[0]))
	rest := 0
	for i := range widths {
		for _, l := range lines {
			widths[i] = max(widths[i], term.Width(l[i]))
		}
		if i > 0 {
			rest += widths[i] + len(gap)
		}
	}
	if columns > 0 {
		widths[0] = min(widths[0], max(columns-rest, narrowest))
	}
	for n, l := range lines {
		var b strings.Builder
		b.WriteString(term.Pad(term.Cut(l[0], widths[0]), widths[0]))
		for i, c := range l[1:] {
			c = term.PadLeft(c, widths[i+1])
			if n > 0 && lines[0][i+1] == "errors" && l[i+1] != "0" {
				c = palette.Paint(term.Red, c)
			}
			b.WriteString(gap + c)
		}
		colour := term.Plain
		if n == 0 {
			colour = term.Dim
		}
		fmt.Fprintln(out, palette.Paint(colour, b.String()))
	}
}
