package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tooltrail/tooltrail/internal/durable"
	"github.com/tooltrail/tooltrail/internal/term"
	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/trail"
)

const proveLong = `Write a proof that one call stands in a sealed trail: for somebody who has the
public key and shall see this call and no other. It is a c2sp.org/tlog-proof@v1
of one or two kilobytes. With --line the line itself is written too; the two
together are what the other side needs.`

type proveFlags struct{ trail, out, line string }

func newProveCmd(a *app) *cobra.Command {
	var f proveFlags
	cmd := &cobra.Command{
		Use:   "prove CALL_ID|INDEX [--trail DIR] [-o FILE] [--line FILE]",
		Short: "Write a proof of one call, for somebody else",
		Long:  proveLong,
		Example: `  tooltrail prove 01KSSVP14J -o call.tlog-proof --line call.json
  tooltrail verify --proof call.tlog-proof --line call.json --key KEY`,
		Args: oneCallID,
		RunE: func(_ *cobra.Command, args []string) error { return a.prove(&f, unshield(args[0])) },

		ValidArgsFunction: a.completeCallID,
	}
	trailFlag(cmd, &f.trail)
	cmd.Flags().StringVarP(&f.out, "out", "o", "", "write the proof to `FILE` (default standard output)")
	cmd.Flags().StringVar(&f.line, "line", "", "write the line to `FILE`")
	return cmd
}

func (a *app) prove(f *proveFlags, id string) error {
	p, err := a.place(f.trail)
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
	dir := filepath.Dir(line.Segment)
	proof, err := seal.Prove(dir, line.Index)
	if err != nil {
		return &hintError{err, "wait a second and try again while it is recorded; tooltrail verify tells whether the trail is sealed"}
	}
	if f.line != "" {
		if err := os.WriteFile(f.line, append(line.Bytes, '\n'), durable.FileMode); err != nil {
			return err
		}
	}
	if f.out == "" {
		_, err = fmt.Fprint(a.stdout, proof)
		return err
	}
	if err := os.WriteFile(f.out, []byte(proof.String()), durable.FileMode); err != nil {
		return err
	}
	lineFile := f.line
	if lineFile == "" {
		lineFile = "LINE"
	}
	fmt.Fprintf(a.stderr, "to check it: tooltrail verify --proof %s --line %s --key KEY ('tooltrail key show' prints KEY)\n", term.Safe(f.out), term.Safe(lineFile))
	return nil
}

// findLine returns the one line that a call id, its beginning, or an index
// names. Its bytes are the caller's.
func (a *app) findLine(p *place, id string) (trail.Line, error) {
	if index, err := strconv.ParseUint(id, 10, 63); err == nil && len(id) < 12 {
		return lineAt(p, index)
	}
	g := a.grumbler()
	s := &callSearch{prefix: id}
	if err := s.search(p, g); err != nil {
		return trail.Line{}, err
	}
	g.finish()
	found, err := s.result()
	if err != nil {
		return trail.Line{}, err
	}
	if len(found) > 1 {
		return trail.Line{}, &usageError{Err: fmt.Errorf("%s stands on %d lines", id, len(found)), Hint: "name the line by its index in the trail (see tooltrail show)"}
	}
	return found[0].line, nil
}

// lineAt returns the line at an index of the only trail of a place.
func lineAt(p *place, index uint64) (trail.Line, error) {
	if len(p.dirs) > 1 {
		return trail.Line{}, usagef("an index belongs to one trail; there are %d: name one with --trail DIR/NAME", len(p.dirs))
	}
	for line, err := range trail.Read(p.dirs[0], &trail.ReadOptions{From: index}) {
		if err != nil {
			return trail.Line{}, err
		}
		if line.Index == index {
			line.Bytes = append([]byte(nil), line.Bytes...)
			return line, nil
		}
		break
	}
	return trail.Line{}, fmt.Errorf("there is no line %d in %s", index, filepath.Base(p.dirs[0]))
}
