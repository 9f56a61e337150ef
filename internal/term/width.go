package term

import (
	"strings"

	"github.com/mattn/go-runewidth"
)

// columns measures text as terminals of today do, whatever the locale says of
// characters of ambiguous width.
var columns = &runewidth.Condition{StrictEmojiNeutral: true}

// Ellipsis ends a value that was cut. It is one column wide.
const Ellipsis = "…"

// Width returns how many columns s takes.
func Width(s string) int {
	if isPlain(s) {
		return len(s)
	}
	return columns.StringWidth(s)
}

// Cut returns s in at most width columns, with an [Ellipsis] at the end where
// something was left out. A width below 1 gives "".
func Cut(s string, width int) string {
	switch {
	case width < 1:
		return ""
	case Width(s) <= width:
		return s
	}
	return columns.Truncate(s, width, Ellipsis)
}

// Pad adds spaces behind s up to width columns.
func Pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-Width(s)))
}

// PadLeft adds spaces before s up to width columns.
func PadLeft(s string, width int) string {
	return strings.Repeat(" ", max(0, width-Width(s))) + s
}
