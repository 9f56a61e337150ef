package term

// A Colour is one of the terminal's own colours, so that the user's theme
// decides how it looks.
type Colour string

// The colours, as the parameters of ECMA-48 SGR (Select Graphic Rendition).
const (
	Plain  Colour = ""
	Bold   Colour = "1"
	Dim    Colour = "2"
	Red    Colour = "31"
	Green  Colour = "32"
	Yellow Colour = "33"
	Blue   Colour = "34"
	Purple Colour = "35"
	Cyan   Colour = "36"
)

// A Palette paints, or does not. The zero value does not.
type Palette struct{ On bool }

// Paint returns s in colour c.
func (p Palette) Paint(c Colour, s string) string {
	if !p.On || c == Plain || s == "" {
		return s
	}
	return "\x1b[" + string(c) + "m" + s + "\x1b[0m"
}
