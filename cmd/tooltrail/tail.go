package main

import (
	"bufio"
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/tooltrail/tooltrail/trail"
)

const tailExample = `  tooltrail tail
  tooltrail tail -f
  tooltrail tail -f outcome:execution_failed -caller:ci
  tooltrail tail -n 1000 --json | jq .tool_id`

const tailHelp = `Show the last calls, and with -f those to come, as they end.

Times are local. Losses and what a trail remarks about itself stand in rows of
their own. A filter chooses events; see 'tooltrail query --help' for its words.

` + jsonHelp

// A tailCmd shows the end of the trails.
type tailCmd struct {
	*app
	dir    string
	n      int
	follow bool
	asJSON bool
	ids    bool
}

func newTailCmd(a *app) *cobra.Command {
	t := &tailCmd{app: a}
	cmd := &cobra.Command{
		Use:        "tail [-f] [-n N] [FILTER…]",
		Short:      "Show the last calls, and follow",
		Long:       tailHelp,
		Example:    tailExample,
		SuggestFor: []string{"log", "logs", "watch", "follow"},
		RunE:       func(cmd *cobra.Command, args []string) error { return t.run(cmd.Context(), args) },

		ValidArgsFunction: a.completeFilter,
	}
	trailFlag(cmd, &t.dir)
	cmd.Flags().BoolVarP(&t.follow, "follow", "f", false, "go on with the calls to come")
	cmd.Flags().IntVarP(&t.n, "lines", "n", 20, "show the last `N` rows")
	cmd.Flags().BoolVar(&t.ids, "id", false, "show the calls' ids, as 'tooltrail show' takes them")
	cmd.Flags().BoolVar(&t.asJSON, "json", false, "print the stored lines as they are")
	return cmd
}

func (t *tailCmd) run(ctx context.Context, args []string) error {
	if t.n < 0 {
		return usagef("-n is a number of rows from 0 up, not %d", t.n)
	}
	f, err := t.parseFilter(args)
	if err != nil {
		return err
	}
	p, err := t.place(t.dir)
	if t.follow && errors.Is(err, errNothingYet) {
		err = awaitDir(ctx, p.path)
	}
	if err != nil {
		return quietEnd(err)
	}
	g := t.grumbler()
	c := choose(f, args, t.asJSON)
	s := t.shower(p, g, c)
	seen, err := t.showLast(p, s)
	if err != nil {
		return err
	}
	if t.follow {
		return t.showNew(ctx, p, seen, s)
	}
	if t.n > 0 && !s.shown {
		t.sayNoCalls(args, t.asJSON)
	}
	g.finish()
	return nil
}

// showLast shows what is there. It returns how far each trail was read.
func (t *tailCmd) showLast(p *place, s *shower) (map[string]uint64, error) {
	if t.n == 0 {
		return nil, s.flush()
	}
	lines, seen, err := lastLines(p.dirs, t.n, s.want, s.grumbler)
	if err != nil {
		return nil, explainRead(err)
	}
	for _, l := range lines {
		if err := s.show(l); err != nil {
			return nil, err
		}
	}
	return seen, s.flush()
}

// overlap is how many lines before its start a follower looks at, so that none
// is missed that came while the last ones were shown.
const overlap = 100_000

// showNew shows lines as they come, but not those before seen.
func (t *tailCmd) showNew(ctx context.Context, p *place, seen map[string]uint64, s *shower) error {
	o := &trail.FollowOptions{}
	if seen != nil {
		o.Last = overlap
	}
	for line, err := range trail.Follow(ctx, p.path, o) {
		var corrupt *trail.CorruptError
		switch {
		case errors.As(err, &corrupt):
			s.grumbler.corrupt(corrupt)
			continue
		case err != nil:
			return explainRead(err)
		case line.Index < seen[line.Trail] || !s.want(line):
			continue
		}
		if err := s.show(line); err != nil {
			return err
		}
		if err := s.out.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// awaitDir waits until there is a folder at path, or ctx ends.
func awaitDir(ctx context.Context, path string) error {
	tick := time.NewTicker(trail.DefaultPoll)
	defer tick.Stop()
	for {
		_, err := os.Stat(path)
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// explainRead adds what to do about an error of reading.
func explainRead(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return &hintError{err, "read it as the user who recorded it; trails are private to their owner"}
	}
	return err
}

// printTrail shows everything that stands in the trails at path, as tail does.
func (a *app) printTrail(ctx context.Context, path string) error {
	p, err := a.place(path)
	if err != nil {
		return quietEnd(err)
	}
	g := a.grumbler()
	t := &tailCmd{app: a}
	s := t.shower(p, g, &choice{losses: true})
	for line, err := range trail.Read(p.path, nil) {
		var corrupt *trail.CorruptError
		switch {
		case errors.As(err, &corrupt):
			g.corrupt(corrupt)
		case err != nil:
			return explainRead(err)
		case s.want(line):
			if err := s.show(line); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	g.finish()
	return s.flush()
}

// A shower shows lines: as stored, or as rows of a table.
type shower struct {
	out      *bufio.Writer
	want     picker
	table    *table // nil: as stored
	lines    *lineWriter
	shown    bool // something was
	grumbler *grumbler
}

func (t *tailCmd) shower(p *place, g *grumbler, c *choice) *shower {
	s := &shower{out: bufio.NewWriter(t.stdout), want: c.picker(g), grumbler: g}
	s.lines = t.lines(s.out)
	if !t.asJSON {
		// A home that is followed may get further trails.
		s.table = t.table(s.out, len(p.dirs) > 1 || t.follow && !p.isTrail())
		s.table.wanted = c.event
		s.table.ids = t.ids
	}
	return s
}

func (s *shower) show(l trail.Line) error {
	s.shown = true
	if s.table == nil {
		return s.lines.write(l.Bytes)
	}
	err := s.table.add(l)
	var unreadable *unreadableError
	if errors.As(err, &unreadable) {
		s.grumbler.line(l, unreadable.Error())
		return nil
	}
	return err
}

func (s *shower) flush() error {
	if s.table != nil {
		if err := s.table.flush(); err != nil {
			return err
		}
	}
	return s.out.Flush()
}
