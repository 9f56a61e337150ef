package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// shells are the shells that are served, with the writers of their scripts.
var shells = []struct {
	name  string
	write func(root *cobra.Command, w io.Writer) error
}{
	{"bash", func(root *cobra.Command, w io.Writer) error { return root.GenBashCompletionV2(w, true) }},
	{"zsh", func(root *cobra.Command, w io.Writer) error { return root.GenZshCompletion(w) }},
	{"fish", func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, true) }},
}

// plainUsages takes the backquotes out of the texts of flags. They mark the
// name of the value for the help; a shell would show them.
func plainUsages(root *cobra.Command) {
	plain := func(f *pflag.Flag) { f.Usage = strings.ReplaceAll(f.Usage, "`", "") }
	root.PersistentFlags().VisitAll(plain)
	for _, cmd := range root.Commands() {
		cmd.Flags().VisitAll(plain)
	}
}

const completionExample = `  source <(tooltrail completion bash)
  tooltrail completion zsh > "${fpath[1]}/_tooltrail"
  tooltrail completion fish > ~/.config/fish/completions/tooltrail.fish`

func newCompletionCmd(a *app) *cobra.Command {
	names := make([]string, len(shells))
	for i, s := range shells {
		names[i] = s.name
	}
	return &cobra.Command{
		Use:   "completion bash|zsh|fish",
		Short: "Print the script that completes commands in a shell",
		Long: `Print the script by which a shell completes commands, flags, filter words, and
the tools and callers that were recorded last.`,
		Example:           completionExample,
		ValidArgs:         names,
		ValidArgsFunction: cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("name one shell: bash, zsh or fish")
			}
			for _, s := range shells {
				if s.name == args[0] {
					return s.write(cmd.Root(), a.stdout)
				}
			}
			return &usageError{Err: fmt.Errorf("there is no completion for %q", unshield(args[0])),
				Hint: "tooltrail completion " + names[0]}
		},
	}
}
