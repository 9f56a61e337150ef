package term

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSafe(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain", "read_text_file", "read_text_file"},
		{"empty", "", ""},
		{"escape sequence", "\x1b[2J\x1b]0;title\x07", `\x1b[2J\x1b]0;title\x07`},
		{"line ends", "a\r\nb\tc", `a\x0d\x0ab\x09c`},
		{"C1 control", "\u009b31m", `\u009b31m`},
		{"DEL", "a\x7f", `a\x7f`},
		{"bidi override", "a\u202eb", `a\u202eb`},
		{"isolates", "\u2066x\u2069", `\u2066x\u2069`},
		{"zero width", "ad\u200bmin\ufeff\u2060", `ad\u200bmin\ufeff\u2060`},
		{"separators", "a\u2028b\u00a0c", `a\u2028b\u00a0c`},
		{"hidden letter", "a\u3164b", `a\u3164b`},
		{"tag characters", "a\U000e0041", `a\U000e0041`},
		{"variation selector", "a\U000e0101", `a\U000e0101`},
		{"not UTF-8", "a\xffb", `a\xffb`},
		{"wide", "ツール", "ツール"},
		{"emoji", "❤️", "❤️"},
		{"accents", "Zoë, e\u0301", "Zoë, e\u0301"},
		{"backslash", `C:\x`, `C:\x`},
		{"replacement character", "\ufffd", "\ufffd"},
	} {
		if got := Safe(c.in); got != c.want {
			t.Errorf("%s: Safe(%q) = %q, want %q", c.name, c.in, got, c.want)
		}
	}
}

func FuzzSafe(f *testing.F) {
	for _, s := range []string{"", "abc", "\x1b[31m", "a\u202eb\xff", "ツ\u200bル", "\U000e0041\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		safe := Safe(s)
		if !utf8.ValidString(safe) {
			t.Fatalf("Safe(%q) = %q is not UTF-8", s, safe)
		}
		for _, r := range safe {
			if r < ' ' || r >= 0x7f && r < 0xa0 || !visible(r) {
				t.Fatalf("Safe(%q) = %q holds %U", s, safe, r)
			}
		}
		if again := Safe(safe); again != safe {
			t.Fatalf("Safe is not stable: %q, then %q", safe, again)
		}
		for _, width := range []int{0, 1, 2, 7} {
			if cut := Cut(safe, width); Width(cut) > width {
				t.Fatalf("Cut(%q, %d) = %q, %d columns", safe, width, cut, Width(cut))
			}
		}
	})
}

func TestColumnsOfText(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		cut   string // to 5 columns
	}{
		{"", 0, ""},
		{"abcde", 5, "abcde"},
		{"abcdef", 6, "abcd…"},
		{"ツール", 6, "ツー…"},
		{"aツール", 7, "aツ…"},
		{"e\u0301abcdef", 7, "e\u0301abc…"},
	} {
		if got := Width(c.text); got != c.width {
			t.Errorf("Width(%q) = %d, want %d", c.text, got, c.width)
		}
		if got := Cut(c.text, 5); got != c.cut {
			t.Errorf("Cut(%q, 5) = %q, want %q", c.text, got, c.cut)
		}
	}
	if got := Pad("ツ", 4) + "|" + PadLeft("ツ", 4) + "|" + Pad("abc", 2); got != "ツ  |  ツ|abc" {
		t.Errorf("padded: %q", got)
	}
}

func TestPaint(t *testing.T) {
	if got := (Palette{}).Paint(Red, "x"); got != "x" {
		t.Errorf("without colour: %q", got)
	}
	if got := (Palette{On: true}).Paint(Red, "x"); got != "\x1b[31mx\x1b[0m" {
		t.Errorf("with colour: %q", got)
	}
	if got := (Palette{On: true}).Paint(Plain, "x"); strings.Contains(got, "\x1b") {
		t.Errorf("plain: %q", got)
	}
}

func TestNoFileIsNoTerminal(t *testing.T) {
	if IsTerminal(nil) || Columns(nil) != 0 {
		t.Error("nil is a terminal")
	}
}
