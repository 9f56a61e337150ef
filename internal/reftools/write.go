package reftools

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tooltrail/tooltrail/dispatch"
)

type writeArgs struct {
	Path    string `json:"path"`
	Content string `json:"content"`
}

type writeResult struct {
	Path         string `json:"path"`
	BytesWritten int    `json:"bytes_written"`
}

// write makes or replaces a file.
func write(changes *changes) dispatch.Tool {
	w := writer{changes}
	return dispatch.Func(define(dispatch.Definition{
		ID: "ref:fs.write", Name: "Write file", Description: "Makes a file, or replaces its content as a whole.",
		Capability:           dispatch.Capability{Domain: "fs", Actions: []string{"write"}, Tags: []string{"file", "write"}},
		Safety:               dispatch.Safety{Level: dispatch.SafetyWrite, SideEffects: []string{"replaces a file"}},
		Resources:            dispatch.Resources{MaxConcurrent: 10},
		Visibility:           dispatch.VisibilityWrite,
		RequiredCapabilities: []string{"write"},
		Errors: append([]dispatch.ErrorSpec{
			{Code: codeNoParent, Description: "the directory that would hold the file does not exist"},
			{Code: codeIsDir, Description: "the path is a directory"},
		}, pathErrors...),
	}, `{"type":"object","properties":{
		"path":{"type":"string","description":"relative to the server's working directory, or absolute"},
		"content":{"type":"string"}
	},"required":["path","content"]}`, `{"type":"object","properties":{
		"path":{"type":"string","description":"the canonical path"},
		"bytes_written":{"type":"integer"}
	},"required":["path","bytes_written"]}`), w.write)
}

type writer struct{ changes *changes }

func (w writer) write(ctx context.Context, c *dispatch.Call, a writeArgs) (any, error) {
	ch, err := target(c, a.Path)
	if err != nil {
		return nil, err
	}
	ch.content = a.Content
	info, err := w.changes.replace(ctx, ch)
	if err != nil {
		return nil, err
	}
	trackerOf(c).saw(ch.canonical, info)
	return writeResult{ch.canonical, len(a.Content)}, nil
}

// target finds what a path would replace: a regular file, or nothing in a
// directory that exists. A link is followed.
func target(c *dispatch.Call, path string) (change, error) {
	full, err := locate(c, path)
	if err != nil {
		return change{}, err
	}
	canonical, err := filepath.EvalSymlinks(full)
	if errors.Is(err, fs.ErrNotExist) {
		return newFile(full, path)
	}
	if err != nil {
		return change{}, failed(err, path)
	}
	if err := ordinary(canonical, path); err != nil {
		return change{}, err
	}
	info, err := os.Stat(canonical)
	if err == nil {
		err = regular(info, path)
	}
	if err != nil {
		return change{}, failed(err, path)
	}
	return change{canonical: canonical, path: path, old: info}, nil
}

func newFile(full, path string) (change, error) {
	if _, err := os.Lstat(full); err == nil {
		return change{}, dispatch.Fail(codeNotAvailable, false, "%s is a link to nothing", path)
	}
	parent, err := filepath.EvalSymlinks(filepath.Dir(full))
	if errors.Is(err, fs.ErrNotExist) {
		return change{}, dispatch.Fail(codeNoParent, false, "there is no directory for %q", path)
	}
	if err != nil {
		return change{}, failed(err, path)
	}
	canonical := filepath.Join(parent, filepath.Base(full))
	return change{canonical: canonical, path: path}, ordinary(canonical, path)
}
