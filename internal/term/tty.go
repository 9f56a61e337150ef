package term

import (
	"os"

	"golang.org/x/term"
)

// IsTerminal reports whether f is a terminal. A nil f is none.
func IsTerminal(f *os.File) bool {
	return f != nil && term.IsTerminal(int(f.Fd()))
}

// Columns returns how wide the terminal f is; 0 where f is none, or does not
// say.
func Columns(f *os.File) int {
	if f == nil {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return max(width, 0)
}
