package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tooltrail/tooltrail/internal/proc"
)

// Groups of commands in the help.
const (
	groupRecord = "record"
	groupLook   = "look"
	groupTrust  = "trust"
	groupAsk    = "ask a dispatcher"
	groupSetUp  = "set up"
)

// commands are all commands, in the order of the help.
var commands = []struct {
	group string
	make  func(*app) *cobra.Command
}{
	{groupRecord, newDemoCmd},
	{groupRecord, newRunCmd},
	{groupRecord, newATDCmd},
	{groupRecord, newDemoServerCmd},
	{groupLook, newTailCmd},
	{groupLook, newQueryCmd},
	{groupLook, newStatsCmd},
	{groupLook, newShowCmd},
	{groupAsk, newToolsCmd},
	{groupAsk, newCallCmd},
	{groupTrust, newVerifyCmd},
	{groupTrust, newProveCmd},
	{groupTrust, newCheckpointCmd},
	{groupTrust, newKeyCmd},
	{groupTrust, newAcceptLossCmd},
	{groupTrust, newRedactCmd},
	{groupTrust, newWitnessCmd},
	{groupTrust, newTilesCmd},
	{groupSetUp, newDoctorCmd},
	{groupSetUp, newCompletionCmd},
	{groupSetUp, newVersionCmd},
}

const longHelp = `tooltrail records what agents do with their tools: one event for every call,
whatever its end, in a sealed trail of plain JSON lines on this machine.`

const rootExample = `  tooltrail run -- npx -y @modelcontextprotocol/server-filesystem .
  tooltrail tail -f
  tooltrail query outcome:execution_failed since:1h
  tooltrail verify`

// newRoot returns the command line.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:               "tooltrail",
		Short:             "Record what agents do with their tools",
		Long:              longHelp,
		Example:           rootExample,
		Args:              knownCommand,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		PersistentPreRunE: func(*cobra.Command, []string) error { return checkColour(a.colour) },
		// Letters that a mistyped command may differ in.
		SuggestionsMinimumDistance: maxDistance,
	}
	version := root.Flags().Bool("version", false, "say which build this is")
	root.RunE = func(cmd *cobra.Command, _ []string) error {
		if *version {
			return readVersion().write(a.stdout)
		}
		return cmd.Help()
	}
	for _, g := range []string{groupRecord, groupLook, groupTrust, groupAsk, groupSetUp} {
		root.AddGroup(&cobra.Group{ID: g, Title: strings.ToUpper(g[:1]) + g[1:]})
	}
	for _, c := range commands {
		cmd := c.make(a)
		cmd.GroupID = c.group
		cmd.DisableFlagsInUseLine = true // "[flags]" says nothing, and stands where run has the server's
		root.AddCommand(cmd)
	}
	root.SetHelpCommand(newHelpCmd())
	root.PersistentFlags().StringVar(&a.colour, "color", "auto", "colour the output: `WHEN` is auto, always or never")
	_ = root.RegisterFlagCompletionFunc("color", cobra.FixedCompletions(colourChoices, cobra.ShellCompDirectiveNoFileComp))
	root.SetFlagErrorFunc(flagError)
	root.SetUsageTemplate(usageTemplate)
	root.SetHelpTemplate(helpTemplate)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	return root
}

// run runs one command line, reports its error, and returns the status to end
// the process with.
func run(ctx context.Context, a *app, args []string) proc.ExitStatus {
	surviveClosedPipes()
	root := newRoot(a)
	root.SetArgs(shieldNegations(args))
	if len(args) > 0 && args[0] == cobra.ShellCompRequestCmd {
		plainUsages(root)
	}
	cmd, err := root.ExecuteContextC(ctx)
	return report(a.stderr, a.errPalette(), cmd.CommandPath(), err)
}

var colourChoices = []string{"auto", "always", "never"}

func checkColour(choice string) error {
	if !slices.Contains(colourChoices, choice) {
		return usagef("--color is auto, always or never, not %q", choice)
	}
	return nil
}

// knownCommand refuses a command that there is not.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := &usageError{
		Err:  fmt.Errorf("there is no command %q", unshield(args[0])),
		Hint: cmd.CommandPath() + " --help, which lists them",
	}
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		err.Hint = cmd.CommandPath() + " " + near[0]
	}
	return err
}

// noArgs refuses arguments.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%q is one argument too many: '%s' takes none", unshield(args[0]), cmd.CommandPath())
	}
	return nil
}
