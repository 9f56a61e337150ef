package reftools

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/tooltrail/tooltrail/dispatch"
)

// grepLimit is how many lines are returned unless the caller says.
const grepLimit = 1000

type grepArgs struct {
	Pattern string `json:"pattern"`
	Path    string `json:"path"`
	Glob    string `json:"glob"`
	Limit   int    `json:"limit"` // 0: absent
}

type grepMatch struct {
	Path string `json:"path"`
	Line int    `json:"line"`
	Text string `json:"text"`
}

type grepResult struct {
	Matches   []grepMatch `json:"matches"`
	Truncated bool        `json:"truncated"`
}

// grep finds lines in files.
func grep() dispatch.Tool {
	return dispatch.Func(define(dispatch.Definition{
		ID: "ref:fs.grep", Name: "Search files", Description: "Finds lines that match a regular expression. Leaves out .git and files that are not text.",
		Capability: dispatch.Capability{Domain: "fs", Actions: []string{"grep"}, Tags: []string{"file", "search"}},
		Resources:  dispatch.Resources{MaxConcurrent: 10},
		Errors:     pathErrors,
	}, `{"type":"object","properties":{
		"pattern":{"type":"string","maxLength":1000,"description":"a regular expression (RE2)"},
		"path":{"type":"string","description":"a directory or a file; the server's working directory unless given"},
		"glob":{"type":"string","maxLength":1000,"description":"only files whose path matches; whose name, where it has no slash"},
		"limit":{"type":"integer","minimum":1,"description":"how many lines; 1000 unless given"}
	},"required":["pattern"]}`, `{"type":"object","properties":{
		"matches":{"type":"array","items":{"type":"object","properties":{
			"path":{"type":"string"},
			"line":{"type":"integer","description":"from 1"},
			"text":{"type":"string","description":"the first 2,000 bytes of the line"}
		},"required":["path","line","text"]}},
		"truncated":{"type":"boolean","description":"there are more"}
	},"required":["matches","truncated"]}`), grepFiles)
}

func grepFiles(ctx context.Context, c *dispatch.Call, a grepArgs) (any, error) {
	pattern, err := compile(a.Pattern)
	if err != nil {
		return nil, err
	}
	if a.Glob != "" {
		if _, err := checkPattern("glob", a.Glob); err != nil {
			return nil, err
		}
	}
	w, err := newWalk(c, a.Path)
	if err != nil {
		return nil, err
	}
	defer w.close()
	s := &search{walk: w, pattern: pattern, most: a.Limit, room: c.MaxOutput - frame}
	if s.most == 0 {
		s.most = grepLimit
	}
	s.result.Matches = []grepMatch{}
	err = w.each(ctx, func(name string, d fs.DirEntry) error {
		if !d.Type().IsRegular() || !globAdmits(a.Glob, name) {
			return nil
		}
		return s.file(ctx, name)
	})
	if err != nil {
		return nil, err
	}
	return s.result, nil
}

// compile reads a regular expression. Its error says what is wrong, without
// the expression.
func compile(pattern string) (*regexp.Regexp, error) {
	r, err := regexp.Compile(pattern)
	var bad *syntax.Error
	switch {
	case errors.As(err, &bad):
		return nil, dispatch.InvalidArgs("/pattern: %s", bad.Code)
	case err != nil:
		return nil, dispatch.InvalidArgs("/pattern: is no regular expression")
	}
	return r, nil
}

func globAdmits(glob, name string) bool {
	if glob != "" && !strings.Contains(glob, "/") {
		name = path.Base(name)
	}
	return glob == "" || doublestar.MatchUnvalidated(glob, name)
}

// file searches one file. One that cannot be read is passed by.
func (s *search) file(ctx context.Context, name string) error {
	f, err := s.walk.root.OpenFile(name, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil // replaced since it was listed
	}
	return s.lines(ctx, s.walk.show(name), f)
}
