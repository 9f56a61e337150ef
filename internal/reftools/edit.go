package reftools

import (
	"context"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/tooltrail/tooltrail/dispatch"
)

// maxEdited is how large a file may be to be edited, in bytes.
const maxEdited = 16 << 20

type editArgs struct {
	Path       string `json:"path"`
	OldString  string `json:"old_string"`
	NewString  string `json:"new_string"`
	ReplaceAll bool   `json:"replace_all"`
}

type editResult struct {
	Path         string `json:"path"`
	Replacements int    `json:"replacements"`
}

// edit replaces text in a file that the session has read.
func edit(changes *changes) dispatch.Tool {
	e := editor{changes}
	return dispatch.Func(define(dispatch.Definition{
		ID: "ref:fs.edit", Name: "Edit file", Description: "Replaces text in a file that was read before.",
		Capability:           dispatch.Capability{Domain: "fs", Actions: []string{"edit"}, Tags: []string{"file", "write"}},
		Safety:               dispatch.Safety{Level: dispatch.SafetyWrite, SideEffects: []string{"changes a file"}},
		Resources:            dispatch.Resources{MaxConcurrent: 10},
		Visibility:           dispatch.VisibilityWrite,
		RequiredCapabilities: []string{"write"},
		Errors: append([]dispatch.ErrorSpec{
			{Code: codeNotRead, Description: "the session has not read the file"},
			{Code: codeModified, Description: "the file has changed since it was read"},
			{Code: codeIsDir, Description: "the path is a directory"},
			{Code: codeEncoding, Description: "the file is not UTF-8"},
		}, pathErrors...),
	}, `{"type":"object","properties":{
		"path":{"type":"string","description":"relative to the server's working directory, or absolute"},
		"old_string":{"type":"string","minLength":1,"description":"what to replace; without replace_all it has to stand in the file once"},
		"new_string":{"type":"string"},
		"replace_all":{"type":"boolean"}
	},"required":["path","old_string","new_string"]}`, `{"type":"object","properties":{
		"path":{"type":"string","description":"the canonical path"},
		"replacements":{"type":"integer"}
	},"required":["path","replacements"]}`), e.edit)
}

type editor struct{ changes *changes }

func (e editor) edit(ctx context.Context, c *dispatch.Call, a editArgs) (any, error) {
	ch, err := readForEdit(ctx, c, a.Path)
	if err != nil {
		return nil, err
	}
	n := strings.Count(ch.content, a.OldString)
	switch {
	case a.OldString == "":
		return nil, dispatch.InvalidArgs("/old_string: is empty")
	case n == 0:
		return nil, dispatch.InvalidArgs("/old_string: does not stand in the file")
	case n > 1 && !a.ReplaceAll:
		return nil, dispatch.InvalidArgs("/old_string: stands in the file %d times; make it longer, or set replace_all", n)
	case len(ch.content)+n*(len(a.NewString)-len(a.OldString)) > maxEdited:
		return nil, dispatch.InvalidArgs("the file would have more than %d bytes", maxEdited)
	}
	ch.content = strings.ReplaceAll(ch.content, a.OldString, a.NewString)
	info, err := e.changes.replace(ctx, ch)
	if err != nil {
		return nil, err
	}
	trackerOf(c).saw(ch.canonical, info)
	return editResult{ch.canonical, n}, nil
}

// readForEdit reads a file, which has to be as the session knows it.
func readForEdit(ctx context.Context, c *dispatch.Call, path string) (change, error) {
	canonical, err := resolve(c, path)
	if err != nil {
		return change{}, err
	}
	f, info, err := openRegular(canonical, path)
	if err != nil {
		return change{}, err
	}
	defer f.Close()
	if err := trackerOf(c).check(canonical, path, info); err != nil {
		return change{}, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxEdited+1))
	switch {
	case err != nil:
		return change{}, failedRead(ctx, err, path)
	case len(text) > maxEdited:
		return change{}, dispatch.InvalidArgs("/path: the file has more than %d bytes", maxEdited)
	case !utf8.Valid(text):
		return change{}, failed(errEncoding, path)
	}
	return change{canonical: canonical, path: path, old: info, unchanged: true, content: string(text)}, nil
}
