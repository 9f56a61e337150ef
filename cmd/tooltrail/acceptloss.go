package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/tooltrail/tooltrail/internal/term"
	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/trail"
)

const acceptLong = `A trail of which sealed lines are missing or changed is not written any more;
recording goes on in the next free folder. This command declares the loss in the
trail, for good and under its seal, and lets it be written again. If not even
the hashes of the lines are left, the trail is moved aside and a new one begins
that links it.

Verification goes on to report the lines that are given up.`

func newAcceptLossCmd(a *app) *cobra.Command {
	var dir, reason string
	cmd := &cobra.Command{
		Use:     "accept-loss TRAIL --reason TEXT [--trail DIR]",
		Short:   "Go on with a damaged trail, and say so in it",
		Long:    acceptLong,
		Example: `  tooltrail accept-loss filesystem --reason "disk failed on Monday, no copy"`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) != 1:
				return usagef("name one trail")
			case reason == "":
				return usagef("say why with --reason; it will stand in the trail")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.acceptLoss(cmd.Context(), dir, unshield(args[0]), reason)
		},

		ValidArgsFunction: a.completeTrail,
	}
	trailFlag(cmd, &dir)
	cmd.Flags().StringVar(&reason, "reason", "", "why, in one `TEXT`")
	return cmd
}

func (a *app) acceptLoss(ctx context.Context, flag, name, reason string) error {
	p, err := a.place(flag)
	if err != nil {
		if err == errNothingYet {
			return errSilent
		}
		return err
	}
	if err := p.only(name); err != nil {
		return err
	}
	r, err := a.keyRing(homeOf(p.path))
	if err != nil {
		return err
	}
	keys, err := r.Existing()
	if err != nil {
		return a.noKey(r, err)
	}
	dir := p.dirs[0]
	ranges, err := openAndClose(ctx, dir, &seal.Options{Keys: keys, Accept: reason})
	var broken *seal.BrokenError
	switch {
	case errors.As(err, &broken):
		return a.beginAnew(ctx, dir, keys)
	case err != nil:
		return &hintError{err, "tooltrail doctor"}
	case len(ranges) == 0:
		return &hintError{fmt.Errorf("%s can be written: there is nothing to accept", name), "tooltrail verify"}
	}
	for _, g := range ranges {
		fmt.Fprintf(a.stdout, "given up: lines %d to %d of %s\n", g.First, g.Next-1, term.Safe(name))
	}
	return nil
}

// openAndClose opens a trail for writing, so that its sealer does its work.
func openAndClose(ctx context.Context, dir string, o *seal.Options) ([]seal.Range, error) {
	s := seal.New(o)
	t, err := trail.Open(dir, &trail.Options{Version: readVersion().Version, Sealer: s})
	if err != nil {
		return nil, err
	}
	ranges := s.Accepted()
	return ranges, t.Close(ctx)
}

// beginAnew moves a trail aside of which nothing can be shown any more, and
// begins one that links it.
func (a *app) beginAnew(ctx context.Context, dir string, keys []*seal.Key) error {
	signed, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	aside := dir + ".damaged-" + a.now().UTC().Format("20060102T150405Z")
	if err := os.Rename(dir, aside); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if _, err := openAndClose(ctx, dir, &seal.Options{Keys: keys, Continues: signed}); err != nil {
		return &hintError{err, "the damaged trail is in " + aside}
	}
	fmt.Fprintf(a.stdout, "moved aside: %s\nbegun anew:  %s\n", term.Safe(aside), term.Safe(dir))
	return nil
}
