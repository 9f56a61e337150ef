package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/internal/config"
	"github.com/tooltrail/tooltrail/internal/stdio"
	"github.com/tooltrail/tooltrail/relay"
)

const runLong = `Runs the server of an MCP client, passes every byte on untouched, and records
one event for each tool call, whatever its end. Put it in front of the command
in the client's configuration; neither client nor server notice.

Standard error, the exit status and signals are the server's own.

The trail is sealed while it is written: tooltrail verify tells whether it was
changed since. The key for that is made on first use (tooltrail key --help).
--no-seal leaves the seal out, and the trail says so.`

const runExample = `  tooltrail run -- npx -y @modelcontextprotocol/server-filesystem .
  tooltrail run --name weather --timeout 2m -- node weather/index.js`

// closeLimit is how long the trail may take to be closed when the server has
// ended. MCP clients wait some seconds before they kill.
const closeLimit = 5 * time.Second

type runFlags struct {
	trail   string
	name    string
	timeout time.Duration
	noSeal  bool
	policy  string
}

func newRunCmd(a *app) *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:        "run [--trail DIR] [--name NAME] [--timeout D] [--no-seal] -- COMMAND [ARG...]",
		Short:      "Run an MCP server on stdio and record its tool calls",
		Long:       runLong,
		Example:    runExample,
		SuggestFor: []string{"start", "exec", "record", "wrap"},
		Args: func(cmd *cobra.Command, args []string) error {
			return checkRunArgs(cmd.ArgsLenAtDash(), args, &f)
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.run(args, &f) },
		// What runs may be a file; the shell completes it.
		ValidArgsFunction: cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault),
	}
	flags := cmd.Flags()
	flags.SetInterspersed(false) // what follows the first argument is the server's
	flags.StringVar(&f.trail, "trail", "", "record into the home `DIR` (default $TOOLTRAIL_DIR, else your state folder)")
	_ = cmd.MarkFlagDirname("trail")
	flags.StringVar(&f.name, "name", "", "the server's `NAME` in the trail (default taken from the command)")
	flags.DurationVar(&f.timeout, "timeout", 0, "record a call without a reply after `D` as TIMEOUT, and let it go on (default never)")
	flags.StringVar(&f.policy, "witness-policy", "", "show checkpoints to the witnesses in `FILE` (default $TOOLTRAIL_WITNESS_POLICY)")
	flags.BoolVar(&f.noSeal, "no-seal", false, "record without a seal; the trail says so, and cannot be verified")
	return cmd
}

// checkRunArgs wants a command, and nothing before "--".
func checkRunArgs(dash int, args []string, f *runFlags) error {
	switch {
	case f.name == "--" || f.trail == "--":
		return usagef("a flag before -- has no value")
	case dash < 0 && slices.Contains(args, "--"):
		return usagef("%q stands before --; only flags may", unshield(args[0]))
	case dash < 0 && len(args) > 0:
		return &usageError{
			Err:  errors.New("put -- before the server's command, so that its flags are its own"),
			Hint: "tooltrail run -- " + strings.Join(filterWords(args), " "),
		}
	case len(args) == 0:
		return &usageError{
			Err:  errors.New("there is no command to run"),
			Hint: "tooltrail run -- npx -y @modelcontextprotocol/server-filesystem .",
		}
	case f.timeout < 0:
		return usagef("--timeout must not be negative")
	}
	return nil
}

// run records the calls of one server until it has ended, and then ends as it
// did. That a call could not be recorded is said, but does not change how a
// server ended.
func (a *app) run(args []string, f *runFlags) error {
	if path, err := exec.LookPath(args[0]); err != nil && path == "" {
		return &hintError{err, "check the command after --"}
	}
	home, err := a.home(f.trail)
	if err != nil {
		return err
	}
	name := f.name
	if name == "" {
		name = config.ServerName(args)
	}
	log := slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	keys, err := a.recordingKeys(home, f.noSeal)
	if err != nil {
		return err
	}
	r, err := config.OpenRecorder(home, name, &config.RecorderOptions{Version: readVersion().Version, Logger: log, Keys: keys, WitnessPolicy: a.witnessPolicy(f.policy)})
	if err != nil {
		return &hintError{err, homeHint(err) + "; nothing was started"}
	}
	a.sayRefused(r)
	status, err := stdio.Run(&stdio.Options{
		Args: args, Stdin: a.stdinFile, Stdout: a.stdoutFile, Stderr: a.stderrFile,
		Observer: relay.New(&relay.Options{
			Sink: r.Queue, Server: name, Transport: audit.TransportStdio, Principal: osUser(),
			Timeout: f.timeout, MACKey: r.MACKey, Logger: log,
		}),
	})
	ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	if closeErr := r.Close(ctx); closeErr != nil {
		complain(a.stderr, a.errPalette(), closeErr, "tooltrail doctor")
	}
	if err != nil {
		return &hintError{err, "check the command after --"}
	}
	return exitStatus{status}
}

// sayRefused tells of trails that are not gone on with.
func (a *app) sayRefused(r *config.Recorder) {
	for _, refused := range r.Refused {
		name := filepath.Base(refused.Dir)
		complain(a.stderr, a.errPalette(),
			fmt.Errorf("%s is left as it is, and the calls are recorded in %s: %w", name, r.Trail.Name(), refused.Err),
			fmt.Sprintf("tooltrail verify --trail %s, which names what is wrong; then compare with a copy, or tooltrail accept-loss --trail %s %s",
				quotePath(refused.Dir), quotePath(filepath.Dir(refused.Dir)), name))
	}
}

// recordingKeys returns the keys that seal, nil for none.
func (a *app) recordingKeys(home string, noSeal bool) (*config.KeyRing, error) {
	if noSeal {
		return nil, nil
	}
	return a.keyRing(home)
}

// witnessPolicy returns the file that says which witnesses there are; "" for
// none.
func (a *app) witnessPolicy(flag string) string {
	if flag != "" {
		return flag
	}
	return a.env("TOOLTRAIL_WITNESS_POLICY")
}

// osUser is the user that this process runs as: on stdio, the operating system
// is who authenticates.
func osUser() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	if u.Username == "" {
		return "os:" + u.Uid
	}
	return "os:" + u.Username
}
