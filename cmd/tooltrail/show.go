package main

import (
	"bufio"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tooltrail/tooltrail/internal/term"
)

func newShowCmd(a *app) *cobra.Command {
	var dir string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show CALL_ID",
		Short: "Show everything that is recorded of a call",
		Long: `Show every field of one call, and where its line stands. The beginning of an id
will do where it fits one call only.`,
		Example:    "  tooltrail show 01KSSVP14J4MS4RTCZJ1GGBCG8\n  tooltrail show 01KSSVP14J --json",
		Args:       oneCallID,
		SuggestFor: []string{"get", "inspect", "cat"},
		RunE: func(_ *cobra.Command, args []string) error {
			return a.show(dir, unshield(args[0]), asJSON)
		},
		ValidArgsFunction: a.completeCallID,
	}
	trailFlag(cmd, &dir)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the stored line as it is")
	return cmd
}

func oneCallID(_ *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return usagef("which call? name its id, or the beginning of it")
	case len(args) > 1:
		return usagef("one call at a time, not %d", len(args))
	case args[0] == "":
		return usagef("the id is empty")
	}
	return nil
}

func (a *app) show(dir, id string, asJSON bool) error {
	p, err := a.place(dir)
	if err != nil {
		if err == errNothingYet {
			return errSilent // the call that was asked for is not there
		}
		return err
	}
	g := a.grumbler()
	s := &callSearch{prefix: id}
	if err := s.search(p, g); err != nil {
		return err
	}
	g.finish()
	lines, err := s.result()
	if err != nil {
		return err
	}
	out := bufio.NewWriter(a.stdout)
	for i, f := range lines {
		if asJSON {
			if err := a.lines(out).write(f.line.Bytes); err != nil {
				return err
			}
			continue
		}
		if i > 0 {
			fmt.Fprintln(out)
		}
		writeSheet(out, a.outPalette(), sheetOf(f, a.zone))
	}
	return out.Flush()
}

// A field is one row of a sheet. A field without a name goes on with the one
// before it.
type field struct {
	name  string
	value string
	paint term.Colour
}

// writeSheet writes fields one below the other.
func writeSheet(w io.Writer, palette term.Palette, fields []field) {
	width := 0
	for _, f := range fields {
		width = max(width, len(f.name))
	}
	for _, f := range fields {
		fmt.Fprintf(w, "%s%s%s\n", palette.Paint(term.Dim, term.Pad(f.name, width)), gap, palette.Paint(f.paint, term.Safe(f.value)))
	}
}
