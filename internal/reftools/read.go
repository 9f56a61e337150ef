package reftools

import (
	"context"

	"github.com/tooltrail/tooltrail/dispatch"
)

type readArgs struct {
	Path   string `json:"path"`
	Offset int64  `json:"offset"` // 0: absent
	Limit  int64  `json:"limit"`  // 0: absent
}

type readResult struct {
	Path       string `json:"path"`
	Content    string `json:"content"`
	LineCount  int64  `json:"line_count"`
	TotalLines int64  `json:"total_lines"`
	Truncated  bool   `json:"truncated"`
}

// read shows lines of a text file.
func read() dispatch.Tool {
	return dispatch.Func(define(dispatch.Definition{
		ID: "ref:fs.read", Name: "Read file", Description: "Reads a text file, with its lines numbered.",
		Capability: dispatch.Capability{Domain: "fs", Actions: []string{"read"}, Tags: []string{"file", "read"}},
		Resources:  dispatch.Resources{MaxConcurrent: 50},
		Errors: append([]dispatch.ErrorSpec{
			{Code: codeIsDir, Description: "the path is a directory"},
			{Code: codeEncoding, Description: "the file is not UTF-8"},
		}, pathErrors...),
	}, `{"type":"object","properties":{
		"path":{"type":"string","description":"relative to the server's working directory, or absolute"},
		"offset":{"type":"integer","minimum":1,"description":"the first line, from 1"},
		"limit":{"type":"integer","minimum":1,"description":"how many lines"}
	},"required":["path"]}`, `{"type":"object","properties":{
		"path":{"type":"string","description":"the canonical path"},
		"content":{"type":"string","description":"the lines, each after its number and a tab"},
		"line_count":{"type":"integer","description":"lines in content"},
		"total_lines":{"type":"integer"},
		"truncated":{"type":"boolean","description":"the file goes on after content"}
	},"required":["path","content","line_count","total_lines","truncated"]}`), readFile)
}

func readFile(ctx context.Context, c *dispatch.Call, a readArgs) (any, error) {
	canonical, err := resolve(c, a.Path)
	if err != nil {
		return nil, err
	}
	f, info, err := openRegular(canonical, a.Path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p := &page{first: max(a.Offset, 1), most: a.Limit, room: c.MaxOutput - frame - quotedLen(canonical)}
	if err := p.read(ctx, f); err != nil {
		return nil, failedRead(ctx, err, a.Path)
	}
	trackerOf(c).saw(canonical, info)
	return readResult{canonical, p.content.String(), p.shown, p.total, p.truncated}, nil
}

// failedRead is failed, but for a context that is done.
func failedRead(ctx context.Context, err error, path string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return failed(err, path)
}
