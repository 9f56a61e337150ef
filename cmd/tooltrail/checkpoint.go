package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tooltrail/tooltrail/seal"
)

func newCheckpointCmd(a *app) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "checkpoint [--trail DIR] [TRAIL]",
		Short: "Print the newest checkpoint, to keep it elsewhere",
		Long: `Print the newest signed checkpoint of a trail, or of each trail of a home. It
stands for every line so far. Kept where nobody who can write the trail
reaches, it shows later that nothing was cut off or written anew:
tooltrail verify --anchor FILE.`,
		Example: "  tooltrail checkpoint > today.checkpoint\n  tooltrail checkpoint filesystem | mail -s checkpoint me@example.com",
		Args:    atMostOne("trail"),
		RunE:    func(_ *cobra.Command, args []string) error { return a.checkpoint(dir, args) },

		ValidArgsFunction: a.completeTrail,
	}
	trailFlag(cmd, &dir)
	return cmd
}

func (a *app) checkpoint(dir string, args []string) error {
	p, err := a.place(dir)
	if err != nil {
		if err == errNothingYet {
			return errSilent
		}
		return err
	}
	if len(args) == 1 {
		if err := p.only(unshield(args[0])); err != nil {
			return err
		}
	}
	printed := 0
	for _, trail := range p.dirs {
		b, err := os.ReadFile(filepath.Join(trail, "checkpoint"))
		if errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintf(a.stderr, "%s is not sealed\n", filepath.Base(trail))
			continue
		}
		if err == nil {
			_, err = seal.PeekCheckpoint(b)
		}
		if err != nil {
			return &hintError{err, "tooltrail verify"}
		}
		if printed > 0 {
			fmt.Fprintln(a.stdout)
		}
		if _, err := a.stdout.Write(b); err != nil {
			return err
		}
		printed++
	}
	if printed == 0 {
		return errSilent
	}
	return nil
}

// only narrows a place to one of its trails.
func (p *place) only(name string) error {
	i := slices.IndexFunc(p.dirs, func(dir string) bool { return filepath.Base(dir) == name })
	if i < 0 {
		names := make([]string, len(p.dirs))
		for i, dir := range p.dirs {
			names[i] = filepath.Base(dir)
		}
		return usagef("there is no trail %q in %s; there are %s", name, p.path, joinWords(names))
	}
	p.dirs = p.dirs[i : i+1]
	return nil
}
