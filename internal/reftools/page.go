package reftools

import (
	"context"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/tooltrail/tooltrail/dispatch"
)

// A page is a part of a text, its lines numbered. The text goes by in blocks,
// so that its size does not matter.
type page struct {
	first int64 // number of the first line that is wanted
	most  int64 // lines that are wanted; 0 is all
	room  int   // bytes of JSON that content may have

	content   strings.Builder
	shown     int64 // lines in content
	total     int64 // lines so far, with the one that is being read
	truncated bool
	inLine    bool
}

const blockSize = 64 << 10

var errEncoding = dispatch.Fail(codeEncoding, false, "the file is not UTF-8")

// read reads a text to its end.
func (p *page) read(ctx context.Context, in io.Reader) error {
	block := make([]byte, blockSize)
	kept := 0 // bytes of a character that the last block began
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := in.Read(block[kept:])
		text := block[:kept+n]
		whole := wholeRunes(text)
		if err == io.EOF {
			whole = len(text)
		}
		if !utf8.Valid(text[:whole]) {
			return errEncoding
		}
		p.add(string(text[:whole]))
		kept = copy(block, text[whole:])
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// wholeRunes is how long text is without a character that only begins in it.
func wholeRunes(text []byte) int {
	for i := len(text) - 1; i >= max(0, len(text)-utf8.UTFMax+1); i-- {
		if utf8.RuneStart(text[i]) {
			if !utf8.FullRune(text[i:]) {
				return i
			}
			break
		}
	}
	return len(text)
}

// add takes the next piece of the text.
func (p *page) add(text string) {
	for text != "" {
		line, rest, ended := strings.Cut(text, "\n")
		if !p.inLine {
			p.total++
			p.begin()
		}
		p.show(line)
		p.inLine, text = !ended, rest
	}
}

func (p *page) wanted() bool {
	return !p.truncated && p.total >= p.first && (p.most == 0 || p.total-p.first < p.most)
}

// begin shows the number of a line.
func (p *page) begin() {
	if !p.wanted() {
		p.truncated = p.truncated || p.total > p.first
		return
	}
	label := fmt.Sprintf("%4d\t", p.total)
	if p.shown > 0 {
		label = "\n" + label
	}
	size := quotedLen(label)
	if size > p.room {
		p.truncated = true
		return
	}
	p.room -= size
	p.shown++
	p.content.WriteString(label)
}

// show shows a piece of the line.
func (p *page) show(piece string) {
	if !p.wanted() {
		return
	}
	part := fit(piece, p.room)
	p.truncated = len(part) < len(piece)
	p.room -= quotedLen(part)
	p.content.WriteString(part)
}
