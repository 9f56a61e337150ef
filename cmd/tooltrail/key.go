package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tooltrail/tooltrail/internal/config"
	"github.com/tooltrail/tooltrail/internal/term"
	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/trail"
)

const keyLong = `The log key seals the trails of a home. It is made when something is first
recorded, and lies in keys/log.key of the home, or in the folder that
$TOOLTRAIL_KEYS names; such a folder serves one home. Who has it can write the
trails anew, so keep it to yourself.

Its public half is what others need to verify: they give it to tooltrail verify
with --key, or add it as a line to trusted-keys on their machine. On this one it
was added when it was made. That file is in $XDG_CONFIG_HOME/tooltrail
(~/.config/tooltrail, on Windows %AppData%\tooltrail) and has in each line a key,
a space and the home that it is for; without a home it is for any that has no
key of its own there.`

func newKeyCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:        "key",
		Short:      "Show, make or replace the key that seals",
		Long:       keyLong,
		Example:    "  tooltrail key show\n  tooltrail key rotate",
		Args:       knownCommand,
		SuggestFor: []string{"keys", "vkey"},
		RunE:       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, sub := range []*cobra.Command{newKeyShowCmd(a), newKeyNewCmd(a), newKeyRotateCmd(a)} {
		sub.DisableFlagsInUseLine = true
		cmd.AddCommand(sub)
	}
	return cmd
}

func newKeyShowCmd(a *app) *cobra.Command {
	var dir string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show [--trail DIR] [TRAIL]",
		Short: "Print the public key, for those who verify",
		Long: `Print the public key of the home: who has it can verify every trail in it. With
the name of a trail, print the key as that trail's, for tools that know one log
at a time.`,
		Example: "  tooltrail key show\n  tooltrail key show filesystem",
		Args:    atMostOne("trail"),
		RunE:    func(_ *cobra.Command, args []string) error { return a.keyShow(dir, args, asJSON) },

		ValidArgsFunction: a.completeTrail,
	}
	trailFlag(cmd, &dir)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// atMostOne allows one argument.
func atMostOne(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > 1 {
			return usagef("one %s at a time, not %d", what, len(args))
		}
		return nil
	}
}

func (a *app) keyShow(dir string, args []string, asJSON bool) error {
	r, err := a.ring(dir)
	if err != nil {
		return err
	}
	keys, err := r.Existing()
	if err != nil {
		return a.noKey(r, err)
	}
	var vkeys []string
	for _, k := range keys {
		if len(args) == 1 {
			k = k.Named(trailOrigin(filepath.Join(r.Home, unshield(args[0])), k))
		}
		vkeys = append(vkeys, k.VKey())
	}
	if asJSON {
		return writeJSON(a.stdout, map[string]any{"home": r.Home, "file": r.LogKeyPath(), "trusted_keys": r.Pins, "keys": vkeys})
	}
	for _, k := range vkeys {
		if _, err := fmt.Fprintln(a.stdout, k); err != nil {
			return err
		}
	}
	if len(keys) > 1 {
		fmt.Fprintln(a.stderr, "two keys sign: the last rotation is not finished (tooltrail key rotate --finish)")
	}
	return nil
}

// trailOrigin returns the name of the log that the trail at dir is, or will be.
func trailOrigin(dir string, key *seal.Key) string {
	if origin := originOf(dir); origin != "" {
		return origin
	}
	return key.Name + "/" + filepath.Base(dir)
}

// ring returns the keys of the home that --trail names.
func (a *app) ring(flag string) (*config.KeyRing, error) {
	home, err := a.home(flag)
	if err != nil {
		return nil, err
	}
	return a.keyRing(homeOf(home))
}

// homeOf returns the home of a place that may be one of its trails.
func homeOf(path string) string {
	if dirs, err := trail.Find(path); err == nil && len(dirs) == 1 && dirs[0] == path {
		return filepath.Dir(path)
	}
	return path
}

func (a *app) noKey(r *config.KeyRing, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &hintError{fmt.Errorf("there is no log key: %s", r.LogKeyPath()), keyHint(err)}
	}
	return &hintError{err, keyHint(err)}
}

func newKeyNewCmd(a *app) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:     "new [--trail DIR]",
		Short:   "Make the key before something is recorded",
		Example: "  tooltrail key new\n  TOOLTRAIL_KEYS=~/tooltrail-keys tooltrail key new",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			r, err := a.ring(dir)
			if err != nil {
				return err
			}
			key, err := r.New()
			if errors.Is(err, config.ErrKeyExists) {
				return &hintError{err, "tooltrail key show, or tooltrail key rotate"}
			}
			if err != nil {
				return &hintError{err, keyHint(err)}
			}
			return a.sayKey(r, key, "made")
		},
	}
	trailFlag(cmd, &dir)
	return cmd
}

// sayKey prints a public key, and where its halves are.
func (a *app) sayKey(r *config.KeyRing, key *seal.Key, done string) error {
	_, err := fmt.Fprintln(a.stdout, key.VKey())
	fmt.Fprintf(a.stderr, "the log key was %s\n", done)
	fmt.Fprintf(a.stderr, "secret half: %s\n", term.Safe(r.LogKeyPath()))
	if r.Pins != "" {
		fmt.Fprintf(a.stderr, "public half: above, and in %s\n", term.Safe(r.Pins))
	} else {
		fmt.Fprintln(a.stderr, "public half: above; keep it, nothing else does")
	}
	fmt.Fprintln(a.stderr, "to verify on another machine: tooltrail verify --key KEY")
	return err
}
