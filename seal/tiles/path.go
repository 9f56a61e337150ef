package tiles

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const (
	tileWidth = 256
	// entries is the level of entry bundles: what a path has in place of a
	// number.
	entries = -1
	// maxIndex bounds the index of a tile, so that the number of its last line
	// fits an int64.
	maxIndex = 1<<55 - 1
)

// A tile is what a path of c2sp.org/tlog-tiles asks for.
type tile struct {
	level int    // entries, or 0 to 63
	n     uint64 // index in the level
	width uint64 // 1 to tileWidth; less than tileWidth if it is partial
}

// start is the index of the tile's first hash or entry in its level, and end
// the one behind its last.
func (t tile) start() uint64 { return t.n * tileWidth }
func (t tile) end() uint64   { return t.start() + t.width }

// within reports whether a tree of size lines has all of the tile.
func (t tile) within(size uint64) bool {
	return t.end() <= size>>(8*uint(max(t.level, 0)))
}

var errPath = errors.New("not the path of a tile: that is tile/L/N or tile/entries/N, with .p/W for a partial one")

// parsePath reads what comes behind "tile/". A tile has exactly one path.
func parsePath(path string) (tile, error) {
	level, rest, ok := strings.Cut(path, "/")
	if !ok {
		return tile{}, errPath
	}
	t := tile{level: entries, width: tileWidth}
	if level != "entries" {
		l, err := parseNumber(level, 63)
		if err != nil {
			return tile{}, errPath
		}
		t.level = int(l)
	}
	index, width, partial := strings.Cut(rest, ".p/")
	if partial {
		w, err := parseNumber(width, tileWidth-1)
		if err != nil || w == 0 {
			return tile{}, errPath
		}
		t.width = w
	}
	n, err := strconv.ParseUint(digits(index), 10, 64)
	if err != nil || n > maxIndex || formatIndex(n) != index {
		return tile{}, errPath
	}
	t.n = n
	return t, nil
}

// parseNumber reads a decimal number without leading zeros.
func parseNumber(s string, most uint64) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n > most || strconv.FormatUint(n, 10) != s {
		return 0, errPath
	}
	return n, nil
}

// digits takes the separators out of an index.
func digits(index string) string {
	return strings.NewReplacer("/", "", "x", "").Replace(index)
}

// formatIndex writes n in groups of three digits, all but the last with an x:
// 1234067 is x001/x234/067.
func formatIndex(n uint64) string {
	s := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		s = fmt.Sprintf("x%03d/%s", n%1000, s)
	}
	return s
}
