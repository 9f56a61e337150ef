package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tooltrail/tooltrail/query"
	"github.com/tooltrail/tooltrail/trail"
)

const queryExample = `  tooltrail query outcome:error since:1h
  tooltrail query tool:read_* -caller:ci min:500ms --limit 20
  tooltrail query --json code:TIMEOUT since:2026-11-24 | jq .tool_id
  tooltrail query --count caller:inspector`

// A queryCmd lists the calls that a filter chooses.
type queryCmd struct {
	*app
	dir    string
	limit  int
	asJSON bool
	ids    bool
	count  bool
}

func newQueryCmd(a *app) *cobra.Command {
	q := &queryCmd{app: a}
	cmd := &cobra.Command{
		Use:               "query [FILTER…]",
		Short:             "List the calls that a filter chooses",
		Long:              "List the calls that a filter chooses, newest last.\n\n" + filterHelp + "\n\n" + jsonHelp,
		Example:           queryExample,
		SuggestFor:        []string{"list", "ls", "search", "find", "grep"},
		RunE:              func(cmd *cobra.Command, args []string) error { return q.run(cmd.Context(), args) },
		ValidArgsFunction: a.completeFilter,
	}
	trailFlag(cmd, &q.dir)
	cmd.Flags().IntVar(&q.limit, "limit", 0, "show the newest `N` only; 0 is no limit")
	cmd.Flags().BoolVar(&q.ids, "id", false, "show the calls' ids, as 'tooltrail show' takes them")
	cmd.Flags().BoolVar(&q.asJSON, "json", false, "print the stored lines as they are")
	cmd.Flags().BoolVar(&q.count, "count", false, "print how many there are")
	return cmd
}

func (q *queryCmd) run(ctx context.Context, args []string) error {
	if q.limit < 0 {
		return usagef("--limit is a number of calls, not %d", q.limit)
	}
	if q.asJSON && q.count {
		return usagef("--json and --count exclude each other")
	}
	f, err := q.parseFilter(args)
	if err != nil {
		return err
	}
	p, err := q.place(q.dir)
	if errors.Is(err, errNothingYet) && q.count {
		_, err = fmt.Fprintln(q.stdout, 0)
	}
	if err != nil || p.dirs == nil {
		return quietEnd(err)
	}
	s := &shower{out: bufio.NewWriterSize(q.stdout, 64<<10), grumbler: q.grumbler()}
	s.lines = q.lines(s.out)
	if !q.asJSON && !q.count {
		s.table = q.table(s.out, len(p.dirs) > 1)
		s.table.ids = q.ids
	}
	n, err := q.scan(ctx, p, f, s)
	if err != nil {
		return err
	}
	if q.count {
		fmt.Fprintln(s.out, n)
	}
	if err := s.flush(); err != nil {
		return err
	}
	if n == 0 && !q.count {
		q.sayNoCalls(args, q.asJSON)
	}
	s.grumbler.finish()
	return nil
}

// scan shows what the filter lets through, unless it is to be counted only, and
// returns how many calls there were.
func (q *queryCmd) scan(ctx context.Context, p *place, f *query.Filter, s *shower) (n uint64, err error) {
	for line, err := range query.Scan(ctx, p.path, f, &query.ScanOptions{Limit: q.limit}) {
		var corrupt *trail.CorruptError
		switch {
		case errors.As(err, &corrupt):
			s.grumbler.corrupt(corrupt)
			continue
		case err != nil:
			return n, explainRead(err)
		}
		n++
		if q.count {
			continue
		}
		if err := s.show(line); err != nil {
			return n, err
		}
	}
	return n, nil
}
