package reftools

import (
	"context"
	"io/fs"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/tooltrail/tooltrail/dispatch"
)

type globArgs struct {
	Pattern string `json:"pattern"`
	Path    string `json:"path"`
}

type globResult struct {
	Matches   []string `json:"matches"`
	Truncated bool     `json:"truncated"`
}

// glob finds files and directories by their names.
func glob() dispatch.Tool {
	return dispatch.Func(define(dispatch.Definition{
		ID: "ref:fs.glob", Name: "Find files", Description: "Finds files and directories by a pattern of their paths. Leaves out .git.",
		Capability: dispatch.Capability{Domain: "fs", Actions: []string{"glob"}, Tags: []string{"file", "search"}},
		Resources:  dispatch.Resources{MaxConcurrent: 10},
		Errors:     pathErrors,
	}, `{"type":"object","properties":{
		"pattern":{"type":"string","maxLength":1000,"description":"such as **/*.go or {a,b}/?.[ch]; ** is any number of directories"},
		"path":{"type":"string","description":"where to look; the server's working directory unless given"}
	},"required":["pattern"]}`, `{"type":"object","properties":{
		"matches":{"type":"array","items":{"type":"string"},"description":"sorted"},
		"truncated":{"type":"boolean","description":"there are more"}
	},"required":["matches","truncated"]}`), globFiles)
}

func globFiles(ctx context.Context, c *dispatch.Call, a globArgs) (any, error) {
	base, err := checkPattern("pattern", a.Pattern)
	if err != nil {
		return nil, err
	}
	w, err := newWalk(c, a.Path)
	if err != nil {
		return nil, err
	}
	defer w.close()
	if w.file {
		return nil, dispatch.Fail(codeNotDir, false, "%s is no directory", a.Path)
	}
	w.start = base
	result := globResult{Matches: []string{}}
	room := c.MaxOutput - frame
	err = w.each(ctx, func(name string, _ fs.DirEntry) error {
		if !doublestar.MatchUnvalidated(a.Pattern, name) {
			return nil
		}
		match := w.show(name)
		if room -= quotedLen(match) + len(`"",`); room < 0 {
			result.Truncated = true
			return fs.SkipAll
		}
		result.Matches = append(result.Matches, match)
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(result.Matches)
	return result, nil
}

// checkPattern refuses a pattern that is none, or that leaves the directory.
// It returns the directory below which everything is that the pattern matches.
func checkPattern(arg, pattern string) (string, error) {
	if !doublestar.ValidatePattern(pattern) {
		return "", dispatch.InvalidArgs("/%s: is no pattern", arg)
	}
	for element := range strings.SplitSeq(pattern, "/") {
		if element == "" || element == "." || element == ".." {
			return "", dispatch.InvalidArgs("/%s: must be relative, without empty elements and dots", arg)
		}
	}
	base, _ := doublestar.SplitPattern(pattern)
	return base, nil
}
