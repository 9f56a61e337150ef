package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tooltrail/tooltrail/atd"
	"github.com/tooltrail/tooltrail/dispatch"
	"github.com/tooltrail/tooltrail/internal/term"
)

const toolsLong = `Lists the tools of an ATD server, or prints the whole definition of one as JSON.`

const toolsExample = `  tooltrail tools --sock /tmp/atd.sock
  tooltrail tools --sock /tmp/atd.sock ref:fs.read`

func newToolsCmd(a *app) *cobra.Command {
	var f atdClientFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "tools [--sock PATH] [TOOL]",
		Short:   "List the tools of an ATD server",
		Long:    toolsLong,
		Example: toolsExample,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("'tooltrail tools' takes one tool at most")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withClient(cmd.Context(), &f, func(ctx context.Context, c *atd.Client) error {
				if len(args) == 1 {
					return a.printDefinition(ctx, c, args[0])
				}
				return a.printTools(ctx, c, asJSON)
			})
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, one tool a line")
	return cmd
}

func (a *app) printDefinition(ctx context.Context, c *atd.Client, id string) error {
	def, err := c.Schema(ctx, id)
	if err != nil {
		return atdFailure(err)
	}
	text, err := json.MarshalIndent(def, "", "  ")
	if err != nil {
		return err
	}
	return a.lines(a.stdout).write(text)
}

func (a *app) printTools(ctx context.Context, c *atd.Client, asJSON bool) error {
	tools, err := c.Tools(ctx)
	if err != nil {
		return atdFailure(err)
	}
	if asJSON {
		for _, t := range tools {
			if err := writeJSON(a.stdout, t); err != nil {
				return err
			}
		}
		return nil
	}
	return a.toolTable(tools)
}

func (a *app) toolTable(tools []dispatch.Summary) error {
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TOOL\tVISIBILITY\tTIER\tWHAT IT DOES")
	for _, t := range tools {
		what, _, _ := strings.Cut(t.Description, "\n")
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", term.Safe(t.ID), term.Safe(string(t.Visibility)), term.Safe(string(t.Tier)), term.Safe(what))
	}
	return w.Flush()
}
