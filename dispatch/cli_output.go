package dispatch

import (
	"errors"
	"strings"
	"unicode/utf8"
)

var errOver = errors.New("dispatch: too much output")

// A capped writer keeps what it is given up to a limit. Its first write beyond
// that closes over, and fails, which ends the copying.
type capped struct {
	limit int
	text  strings.Builder
	over  chan struct{}
}

func (c *capped) Write(b []byte) (int, error) {
	if c.isOver() {
		return 0, errOver
	}
	if c.text.Len()+len(b) > c.limit {
		close(c.over)
		return 0, errOver
	}
	return c.text.Write(b)
}

func (c *capped) isOver() bool {
	select {
	case <-c.over:
		return true
	default:
		return false
	}
}

// A tail keeps the last MaxStderr bytes that it is given.
type tail struct{ text []byte }

func (t *tail) Write(b []byte) (int, error) {
	t.text = append(t.text, b[max(0, len(b)-MaxStderr):]...)
	if cut := len(t.text) - MaxStderr; cut > 0 {
		t.text = append(t.text[:0], t.text[cut:]...)
	}
	return len(b), nil
}

// String returns the text, which begins with a whole character.
func (t *tail) String() string {
	text := t.text
	for range utf8.UTFMax - 1 {
		if len(text) == 0 || utf8.RuneStart(text[0]) {
			break
		}
		text = text[1:]
	}
	return strings.TrimRight(strings.ToValidUTF8(string(text), "\uFFFD"), " \t\r\n")
}
