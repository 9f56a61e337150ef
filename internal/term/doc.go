// Package term makes text fit for a terminal: harmless, aligned, and coloured
// where somebody looks.
//
//	cell := term.Pad(term.Cut(term.Safe(toolID), 24), 24)
//	fmt.Fprintln(w, palette.Paint(term.Green, cell))
//
// What is recorded was said by programs that nobody trusts. Everything that
// comes from a trail goes through [Safe] before it is shown.
package term
