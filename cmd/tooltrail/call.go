package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tooltrail/tooltrail/atd"
	"github.com/tooltrail/tooltrail/dispatch"
)

const callLong = `Calls a tool of an ATD server and prints its result as JSON. The arguments are
JSON, {} where they are left out, and those of standard input where they are -.

A result in pages is printed page by page, one line each. Where the call is
refused, or the tool fails, the exit code is 1.`

const callExample = `  tooltrail call --sock /tmp/atd.sock ref:echo.say '{"text":"hello"}'
  tooltrail call --sock /tmp/atd.sock --cap write ref:fs.write '{"path":"a","content":"b"}'
  tooltrail call --sock /tmp/atd.sock --dry-run ref:shell.exec '{"command":"make"}'`

func newCallCmd(a *app) *cobra.Command {
	var f atdClientFlags
	var dry, raw bool
	cmd := &cobra.Command{
		Use:     "call [--sock PATH] [--cap C]... TOOL [JSON]",
		Short:   "Call a tool of an ATD server",
		Long:    callLong,
		Example: callExample,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || len(args) > 2 {
				return usagef("'tooltrail call' takes a tool and its arguments, in one word")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			q := &dispatch.RunTool{ToolID: args[0], Args: json.RawMessage(`{}`), DryRun: dry}
			var err error
			if len(args) == 2 {
				if q.Args, err = a.callArgs(args[1]); err != nil {
					return err
				}
			}
			return a.withClient(cmd.Context(), &f, func(ctx context.Context, c *atd.Client) error {
				return a.call(ctx, c, q, raw)
			})
		},
	}
	f.add(cmd)
	f.addHello(cmd)
	cmd.Flags().BoolVar(&dry, "dry-run", false, "ask what would be called, and run nothing")
	cmd.Flags().BoolVar(&raw, "json", false, "print the server's whole answer, not the result alone")
	return cmd
}

// callArgs reads the arguments of a call.
func (a *app) callArgs(text string) (json.RawMessage, error) {
	args := []byte(unshield(text))
	if text == "-" {
		var err error
		if args, err = io.ReadAll(io.LimitReader(a.stdin, atd.MaxFrame+1)); err != nil {
			return nil, err
		}
	}
	if !json.Valid(args) {
		return nil, &usageError{fmt.Errorf("the arguments are not JSON: %.40s", args), `'{"text":"hello"}', quoted for the shell`}
	}
	return args, nil
}

// call prints each page of a call's result.
func (a *app) call(ctx context.Context, c *atd.Client, q *dispatch.RunTool, raw bool) error {
	for page, err := range c.Pages(ctx, q) {
		if err != nil {
			return atdFailure(err)
		}
		if err := a.printPage(page, raw); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) printPage(page *dispatch.ToolResult, raw bool) error {
	if raw {
		line, err := atd.AppendResponse(nil, page)
		if err == nil {
			err = a.lines(a.stdout).write(line)
		}
		if err == nil && !page.Success {
			err = errSilent
		}
		return err
	}
	if !page.Success {
		failed := failedResult{Code: "FAILED", Message: string(page.Result)}
		_ = json.Unmarshal(page.Result, &failed)
		return failed.err()
	}
	return a.lines(a.stdout).write(page.Result)
}
