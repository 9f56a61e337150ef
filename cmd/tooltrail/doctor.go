package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tooltrail/tooltrail/internal/term"
)

// A level says how much a finding matters.
type level string

const (
	fine  level = "ok"
	hint  level = "note"  // worth knowing; nothing has to be done
	wrong level = "wrong" // something has to be done
)

// A finding is one thing that doctor looked at.
type finding struct {
	About string `json:"about"` // "home", "disk", "keys", "programs", or the name of a trail
	Level level  `json:"level"`
	Says  string `json:"says"`
	Next  string `json:"next,omitempty"` // what to do
}

// A checkup collects findings.
type checkup struct {
	Home     string    `json:"home"`
	OK       bool      `json:"ok"`
	Findings []finding `json:"findings"`
}

func (c *checkup) add(about string, l level, next, format string, args ...any) {
	c.OK = c.OK && l != wrong
	c.Findings = append(c.Findings, finding{about, l, fmt.Sprintf(format, args...), next})
}

func newDoctorCmd(a *app) *cobra.Command {
	var dir string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check that all is set up right and nothing is missing",
		Long: `Check the folder of the trails, the disk, the keys, every trail's seal, lines and
numbers, and the programs that MCP servers are commonly started with. Exits with
1 if something is wrong. Whether the lines are those that were sealed is for
tooltrail verify to say.`,
		Example:    "  tooltrail doctor\n  tooltrail doctor --json | jq '.findings[] | select(.level != \"ok\")'",
		Args:       noArgs,
		SuggestFor: []string{"status"},
		RunE:       func(*cobra.Command, []string) error { return a.doctor(dir, asJSON) },
	}
	trailFlag(cmd, &dir)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func (a *app) doctor(dir string, asJSON bool) error {
	path, err := a.home(dir)
	if err != nil {
		return err
	}
	c := &checkup{Home: path, OK: true, Findings: []finding{}}
	a.checkHome(c, path, dir != "")
	checkPrograms(c)
	if asJSON {
		err = writeJSON(a.stdout, c)
	} else {
		err = c.write(a.stdout, a.outPalette())
	}
	if err == nil && !c.OK {
		return errSilent
	}
	return err
}

var levelColours = map[level]term.Colour{fine: term.Green, hint: term.Yellow, wrong: term.Red}

// write lists the findings, each with what to do next.
func (c *checkup) write(w io.Writer, palette term.Palette) error {
	width := 0
	for _, f := range c.Findings {
		width = max(width, term.Width(term.Safe(f.About)))
	}
	about := ""
	for _, f := range c.Findings {
		name := term.Safe(f.About)
		if name == about {
			name = "" // it goes on
		} else {
			about = name
		}
		_, err := fmt.Fprintf(w, "%s  %s  %s\n", term.Pad(name, width),
			palette.Paint(levelColours[f.Level], term.Pad(string(f.Level), 5)), term.Safe(f.Says))
		if err == nil && f.Next != "" {
			_, err = fmt.Fprintf(w, "%s  %s\n", term.Pad("", width+7), palette.Paint(term.Dim, "→ "+term.Safe(f.Next)))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
