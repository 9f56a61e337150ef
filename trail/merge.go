package trail

import (
	"errors"
	"io"
)

// A source gives lines in order. io.EOF means that there are none now.
type source interface {
	read() (Line, error)
}

// A head is the next line of a source.
type head struct {
	src  source
	line Line
	when int64
	ok   bool
}

// pull reads the head's next line, and passes corrupt places on to yield. It
// returns false when the iteration is over.
func (h *head) pull(yield func(Line, error) bool) bool {
	for {
		line, err := h.src.read()
		if err == nil {
			h.line, h.ok = line, true
			if ns, ok := lineNanos(line.Bytes); ok {
				h.when = ns // a line without a time goes with the line before it
			}
			return true
		}
		h.ok = false
		if err == io.EOF {
			return true
		}
		if !yield(Line{}, err) || !isCorrupt(err) {
			return false
		}
	}
}

// merge yields the lines of all sources by time. It returns false when the
// iteration is over: the caller stopped it, or an error did.
func merge(sources []source, yield func(Line, error) bool) bool {
	if len(sources) == 1 {
		return drain(sources[0], yield)
	}
	heads := make([]head, len(sources))
	for i := range heads {
		heads[i] = head{src: sources[i], when: noTime}
		if !heads[i].pull(yield) {
			return false
		}
	}
	for {
		first := earliest(heads)
		if first == nil {
			return true
		}
		if !yield(first.line, nil) || !first.pull(yield) {
			return false
		}
	}
}

// earliest returns the head with the smallest time, the first of equals. A
// home has tens of trails, not thousands; walking them beats a heap.
func earliest(heads []head) *head {
	var first *head
	for i := range heads {
		if h := &heads[i]; h.ok && (first == nil || h.when < first.when) {
			first = h
		}
	}
	return first
}

// drain yields the lines of one source, whose times do not matter.
func drain(src source, yield func(Line, error) bool) bool {
	for {
		line, err := src.read()
		if err == io.EOF {
			return true
		}
		if !yield(line, err) || err != nil && !isCorrupt(err) {
			return false
		}
	}
}

// isCorrupt reports whether the iteration goes on after err.
func isCorrupt(err error) bool {
	var corrupt *CorruptError
	return errors.As(err, &corrupt)
}
