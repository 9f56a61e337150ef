package trail

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// MaxLine is the largest line, in bytes, with its '\n'. It is set by the
// tlog-tiles entry bundle, which holds a length in 16 bits.
const MaxLine = 65535

// segmentExt ends the name of every segment.
const segmentExt = ".jsonl"

// ErrNotTrail says that a path is neither a trail nor a home of trails.
var ErrNotTrail = errors.New("not a trail, and no home of trails")

// A Segment is one file of a trail.
type Segment struct {
	// Path is the file, named by First in 20 digits.
	Path string
	// First is the index of its first line.
	First uint64
	// Next is First of the segment that follows; 0 for the last. Lines of this
	// file with an index of Next or more are not part of the trail: their
	// valid copy stands in the following segment.
	Next uint64
	// Size is the file's length in bytes when it was listed.
	Size int64
}

// segmentName returns the file name of a segment.
func segmentName(first uint64) string {
	return fmt.Sprintf("%020d%s", first, segmentExt)
}

// parseSegmentName is the inverse of segmentName.
func parseSegmentName(name string) (first uint64, ok bool) {
	digits, ok := strings.CutSuffix(name, segmentExt)
	if !ok || len(digits) != 20 {
		return 0, false
	}
	first, err := strconv.ParseUint(digits, 10, 64)
	return first, err == nil
}

// Segments lists the segments of one trail, in order. A trail without any has
// none, and no error.
func Segments(dir string) ([]Segment, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("trail: list segments: %w", err)
	}
	var segs []Segment
	for _, e := range entries {
		first, ok := parseSegmentName(e.Name())
		if !ok || e.IsDir() {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // pruned meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("trail: list segments: %w", err)
		}
		segs = append(segs, Segment{Path: filepath.Join(dir, e.Name()), First: first, Size: info.Size()})
	}
	slices.SortFunc(segs, func(a, b Segment) int { return compareUint(a.First, b.First) })
	for i := 1; i < len(segs); i++ {
		segs[i-1].Next = segs[i].First
	}
	return segs, nil
}

func compareUint(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Find returns the directories of the trails at path, sorted: path itself
// where it is a trail, or the trails in it where it is a home. Where there are
// none, the error matches [ErrNotTrail].
func Find(path string) ([]string, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("trail: %w", err)
	}
	if isTrail(path, entries) {
		return []string{path}, nil
	}
	var dirs []string
	for _, e := range entries {
		sub := filepath.Join(path, e.Name())
		if !e.IsDir() {
			continue
		}
		inner, err := os.ReadDir(sub)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("trail: %w", err)
		}
		if isTrail(sub, inner) {
			dirs = append(dirs, sub)
		}
	}
	if len(dirs) == 0 {
		return nil, fmt.Errorf("trail: %s: %w", path, ErrNotTrail)
	}
	return dirs, nil
}

// isTrail says whether a directory with these entries is a trail: it holds a
// segment, or the lock of a writer that is about to make one.
func isTrail(dir string, entries []os.DirEntry) bool {
	for _, e := range entries {
		if _, ok := parseSegmentName(e.Name()); ok && !e.IsDir() {
			return true
		}
		if e.IsDir() && e.Name() == stateDir {
			if _, err := os.Lstat(filepath.Join(dir, stateDir, lockName)); err == nil {
				return true
			}
		}
	}
	return false
}
