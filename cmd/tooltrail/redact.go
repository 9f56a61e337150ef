package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/tooltrail/tooltrail/internal/term"
	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/trail"
)

const redactLong = `Erase the content of one event for good. An order, signed with the eraser's key,
stands in the trail before the line goes; the line's hash stays, so all proofs
go on to hold, and verification knows that it was erased and by whose order.

Nobody may be writing the trail. Give a reason that says nothing of the content;
it stays.`

func newRedactCmd(a *app) *cobra.Command {
	var dir, reason string
	cmd := &cobra.Command{
		Use:        "redact CALL_ID|INDEX --reason TEXT [--trail DIR]",
		Short:      "Erase what one call held, and keep the proofs",
		Long:       redactLong,
		Example:    `  tooltrail redact 01KSSVP14J4MS4RTCZJ1GGBCG8 --reason "request 4711 of the person concerned"`,
		SuggestFor: []string{"delete", "erase", "remove", "forget"},
		Args: func(cmd *cobra.Command, args []string) error {
			if err := oneCallID(cmd, args); err != nil {
				return err
			}
			if reason == "" {
				return usagef("say why with --reason; it will stand in the trail")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.redact(cmd.Context(), dir, unshield(args[0]), reason)
		},
		ValidArgsFunction: a.completeCallID,
	}
	trailFlag(cmd, &dir)
	cmd.Flags().StringVar(&reason, "reason", "", "why, in one `TEXT`")
	return cmd
}

func (a *app) redact(ctx context.Context, flag, id, reason string) error {
	p, err := a.place(flag)
	if err != nil {
		if err == errNothingYet {
			return errSilent
		}
		return err
	}
	line, err := a.findLine(p, id)
	if err != nil {
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
	eraser, err := r.EraserKey()
	if err != nil {
		return &hintError{err, keyHint(err)}
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	dir := filepath.Dir(line.Segment)
	err = seal.Redact(ctx, dir, line.Index, reason, &seal.RedactOptions{Keys: keys, Eraser: eraser, Version: readVersion().Version})
	var inUse *trail.InUseError
	switch {
	case errors.As(err, &inUse):
		return &hintError{fmt.Errorf("process %d is writing %s", inUse.PID, filepath.Base(dir)), "end it first, and start it again afterwards"}
	case errors.Is(err, seal.ErrErased):
		fmt.Fprintln(a.stderr, "that line is erased already")
		return nil
	case err != nil:
		return &hintError{err, "tooltrail redact --help"}
	}
	fmt.Fprintf(a.stdout, "erased line %d of %s\n", line.Index, term.Safe(filepath.Base(dir)))
	fmt.Fprintln(a.stderr, "copies may be left elsewhere: backups, what was shipped or exported, snapshots of the disk")
	return nil
}
