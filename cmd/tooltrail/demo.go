package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tooltrail/tooltrail/internal/config"
	"github.com/tooltrail/tooltrail/internal/demo"
)

const demoLong = `Runs a small agent against a small MCP server, with the relay in between, and
shows what was recorded: calls that end in all six outcomes, and one that
crashes the server. It needs no network and nothing but this program.`

// demoServerCmd is the name of the hidden command that is the demo's server.
const demoServerCmd = "demo-server"

func newDemoCmd(a *app) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:     "demo [--trail DIR]",
		Short:   "See it work: an agent, a server and a trail in one",
		Long:    demoLong,
		Example: "  tooltrail demo",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.demo(cmd.Context(), dir) },
	}
	cmd.Flags().StringVar(&dir, "trail", "", "record into the home `DIR` (default a temporary folder, which stays)")
	_ = cmd.MarkFlagDirname("trail")
	return cmd
}

func newDemoServerCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:    demoServerCmd,
		Short:  "The server of the demo",
		Hidden: true,
		Args:   noArgs,
		RunE:   func(*cobra.Command, []string) error { return demo.Serve(a.stdin, a.stdout) },
	}
}

func (a *app) demo(ctx context.Context, dir string) error {
	home, err := demoHome(dir)
	if err != nil {
		return err
	}
	if err := a.record(home, dir == ""); err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "An agent made %d calls. This is what stands in the trail:\n\n", demo.Calls())
	if err := a.printTrail(ctx, home); err != nil {
		return err
	}
	flag := "--trail " + quotePath(home)
	fmt.Fprintf(a.stdout, `
Look further:
  tooltrail stats %[1]s
  tooltrail query %[1]s outcome:error
  tooltrail query %[1]s --json tool:read_file
  tooltrail verify %[1]s

Record your own server: put this before its command, in your client's settings
  tooltrail run --
`, flag)
	return nil
}

// quotePath returns a path as it is written in a shell's command.
func quotePath(path string) string {
	if strings.Contains(path, " ") {
		return `"` + path + `"`
	}
	return path
}

func demoHome(dir string) (string, error) {
	if dir == "" {
		return os.MkdirTemp("", "tooltrail-demo-")
	}
	return dir, nil
}

// record runs the demo into a trail.
func (a *app) record(home string, temporary bool) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	keys, err := a.keyRing(home)
	if err != nil {
		return err
	}
	if temporary {
		keys.Dir = "" // what TOOLTRAIL_KEYS names is for a home that stays
	}
	r, err := config.OpenRecorder(home, "demo", &config.RecorderOptions{Version: readVersion().Version, Keys: keys})
	if err != nil {
		return &hintError{err, homeHint(err)}
	}
	a.sayRefused(r)
	err = demo.Run(&demo.Options{
		Server: []string{self, demoServerCmd}, Sink: r.Queue, Principal: osUser(), MACKey: r.MACKey,
	})
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if closeErr := r.Close(ctx); err == nil {
		err = closeErr
	}
	return err
}
