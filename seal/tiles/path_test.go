package tiles

import (
	"fmt"
	"testing"
)

func TestIndexInGroupsOfThree(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "000", 999: "999", 1000: "x001/000", 1234067: "x001/x234/067", 1e9: "x001/x000/x000/000",
	} {
		if got := formatIndex(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

// What is understood is written in exactly one way.
func FuzzParsePath(f *testing.F) {
	for _, s := range []string{"0/000", "63/x001/x234/067.p/255", "entries/000.p/1", "0/x000/001", "0/.p/1", "entries/x/x/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		got, err := parsePath(path)
		if err != nil {
			return
		}
		level, width := fmt.Sprint(got.level), ""
		if got.level == entries {
			level = "entries"
		}
		if got.width != tileWidth {
			width = fmt.Sprintf(".p/%d", got.width)
		}
		if again := level + "/" + formatIndex(got.n) + width; again != path {
			t.Errorf("%q was read as %q", path, again)
		}
		if got.width == 0 || got.width > tileWidth || got.level > 63 || int64(got.end()) <= 0 {
			t.Errorf("%q: %+v", path, got)
		}
	})
}
