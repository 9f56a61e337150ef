package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tooltrail/tooltrail/internal/term"
	"github.com/tooltrail/tooltrail/trail"
)

// A place is what a reading command reads: a home of trails, or one trail.
type place struct {
	path  string
	named bool     // by --trail; a place that is named has to exist
	dirs  []string // its trails, sorted
}

// errNothingYet says that nothing has been recorded at the place where trails
// are by default. That is a quiet end: it was said what to do.
var errNothingYet = errors.New("nothing is recorded yet")

// trailFlag gives a command the flag --trail.
func trailFlag(cmd *cobra.Command, dir *string) {
	cmd.Flags().StringVar(dir, "trail", "", "read the home or the trail in `DIR` (default $TOOLTRAIL_DIR, else your state folder)")
	_ = cmd.MarkFlagDirname("trail")
}

// place finds the trails to read. Where there are none yet, the error is
// errNothingYet and the user has been told.
func (a *app) place(flag string) (*place, error) {
	path, err := a.home(flag)
	if err != nil {
		return nil, err
	}
	p := &place{path: path, named: flag != ""}
	p.dirs, err = trail.Find(path)
	if err != nil {
		return p, a.noTrails(p, err)
	}
	for _, dir := range p.dirs {
		a.warnOfFormat(dir)
	}
	return p, nil
}

// noTrails explains why there is nothing to read at p.
func (a *app) noTrails(p *place, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist) && p.named:
		return &hintError{fmt.Errorf("there is no trail at %s", p.path),
			"check the path, or begin a trail there: tooltrail run --trail DIR -- COMMAND"}
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, trail.ErrNotTrail) && isEmpty(p.path):
		a.sayNothingYet(p.path)
		return errNothingYet
	case errors.Is(err, trail.ErrNotTrail):
		return &hintError{fmt.Errorf("%s is not a trail, and no home of trails", p.path),
			"name the folder that 'tooltrail run --trail DIR' writes to"}
	case errors.Is(err, syscall.ENOTDIR):
		return &hintError{fmt.Errorf("%s is a file; a trail is a folder", p.path), "name the folder that holds it"}
	case errors.Is(err, fs.ErrPermission):
		return &hintError{err, "read it as the user who recorded it; trails are private to their owner"}
	}
	return &hintError{err, "tooltrail doctor"}
}

func (a *app) sayNothingYet(path string) {
	dim := func(s string) string { return a.errPalette().Paint(term.Dim, s) }
	fmt.Fprintf(a.stderr, "nothing is recorded yet in %s\n", term.Safe(path))
	fmt.Fprintf(a.stderr, "%s tooltrail run -- COMMAND, where COMMAND starts an MCP server\n", dim("begin with:"))
	fmt.Fprintf(a.stderr, "%s tooltrail demo\n", dim("   or see:"))
}

func isEmpty(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && len(entries) == 0
}

// formatOf returns the format that a trail says it has; 0 where it says
// nothing.
func formatOf(dir string) int {
	b, err := os.ReadFile(filepath.Join(dir, "state", "format"))
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return n
}

// warnOfFormat tells that a trail was written by a later version. It is read
// all the same: the lines that are understood are worth having.
func (a *app) warnOfFormat(dir string) {
	if n := formatOf(dir); n > trail.Format {
		complain(a.stderr, a.errPalette(),
			fmt.Errorf("%s has format %d, which is newer than this version reads in full (%d)", dir, n, trail.Format),
			"a newer tooltrail; what follows may be incomplete")
	}
}

// quietEnd turns errNothingYet into success.
func quietEnd(err error) error {
	if errors.Is(err, errNothingYet) {
		return nil
	}
	return err
}

// isTrail reports whether the place is one trail, not a home.
func (p *place) isTrail() bool { return len(p.dirs) == 1 && p.dirs[0] == p.path }
