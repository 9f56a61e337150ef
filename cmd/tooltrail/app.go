package main

import (
	"io"
	"os"
	"time"

	"github.com/tooltrail/tooltrail/internal/term"
)

// An app is what a command sees of the process: its streams, its environment
// and its clock.
type app struct {
	stdin  io.Reader
	stdout io.Writer // a write to it that nobody reads fails with errReaderGone
	stderr io.Writer
	// The same streams as files, for who needs a descriptor or asks for a
	// terminal. nil where a stream is no file.
	stdinFile, stdoutFile, stderrFile *os.File

	lookup   func(key string) (string, bool) // environment
	userHome func() (string, error)
	now      func() time.Time
	zone     *time.Location // in which times are shown

	colour string // --color: auto, always or never
}

// newApp returns the app of this process.
func newApp() *app {
	return &app{
		stdin: os.Stdin, stdout: checkedWriter{os.Stdout}, stderr: os.Stderr,
		stdinFile: os.Stdin, stdoutFile: os.Stdout, stderrFile: os.Stderr,
		lookup: os.LookupEnv, userHome: os.UserHomeDir,
		now: time.Now, zone: time.Local, colour: "auto",
	}
}

// env returns an environment variable, "" where it is not set.
func (a *app) env(key string) string {
	value, _ := a.lookup(key)
	return value
}

// outPalette and errPalette colour what goes to the two outputs.
func (a *app) outPalette() term.Palette { return a.palette(a.stdoutFile) }
func (a *app) errPalette() term.Palette { return a.palette(a.stderrFile) }

// palette decides on colour: --color first, then NO_COLOR (https://no-color.org)
// and TERM=dumb, then whether f is a terminal that takes it.
func (a *app) palette(f *os.File) term.Palette {
	switch {
	case a.colour == "always":
		return term.Palette{On: true}
	case a.colour == "never", a.env("NO_COLOR") != "", a.env("TERM") == "dumb":
		return term.Palette{}
	}
	return term.Palette{On: term.IsTerminal(f) && term.EnableColours(f)}
}

// columns returns how wide the terminal on standard output is; 0 where there
// is none, and then nothing is cut.
func (a *app) columns() int {
	if !term.IsTerminal(a.stdoutFile) {
		return 0
	}
	if width := term.Columns(a.stdoutFile); width > 0 {
		return width
	}
	return 80
}
