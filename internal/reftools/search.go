package reftools

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"regexp"
	"strings"
)

const (
	lineLimit = 64 << 10 // how much of a line is searched, in bytes
	textLimit = 2000     // how much of it is returned
)

// A search collects the lines that match.
type search struct {
	walk    *walk
	pattern *regexp.Regexp
	most    int // matches that may still be added
	room    int // bytes of JSON that they may have
	result  grepResult
}

// lines searches a text. One with a NUL in its first block is none.
func (s *search) lines(ctx context.Context, shown string, in io.Reader) error {
	r := bufio.NewReaderSize(in, lineLimit)
	if head, _ := r.Peek(lineLimit); bytes.IndexByte(head, 0) >= 0 {
		return nil
	}
	for number := 1; ; number++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		line, err := r.ReadSlice('\n')
		if len(line) == 0 {
			return nil
		}
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		if s.pattern.Match(line) {
			if err := s.add(grepMatch{shown, number, excerpt(line)}); err != nil {
				return err
			}
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			err = skipLine(ctx, r)
		}
		if err != nil {
			return ctx.Err() // the end, or what cannot be read
		}
	}
}

func excerpt(line []byte) string {
	if len(line) > textLimit {
		line = line[:wholeRunes(line[:textLimit])]
	}
	return strings.ToValidUTF8(string(line), "\uFFFD")
}

// skipLine passes over the rest of a line.
func skipLine(ctx context.Context, r *bufio.Reader) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := r.ReadSlice('\n'); !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// add takes a match, or ends the search.
func (s *search) add(m grepMatch) error {
	const around = len(`{"path":"","line":,"text":""},`) + 20
	s.room -= quotedLen(m.Path) + quotedLen(m.Text) + around
	if s.most == 0 || s.room < 0 {
		s.result.Truncated = true
		return fs.SkipAll
	}
	s.most--
	s.result.Matches = append(s.result.Matches, m)
	return nil
}
