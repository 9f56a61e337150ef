package trail

import (
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/tooltrail/tooltrail/audit"
)

// Note writes a line about the trail itself. The kind is a short lower-case
// word; DESIGN's are start, stop, lost, recovered, epoch, degraded, restored,
// replaced, clock_step, config, redact, prune and alive. Attributes become
// members in their order; groups become objects. The line is accepted when
// Note returns nil; it is durable after Sync.
//
// A note that declares no loss must not have a member "lost" or "seq".
func (t *Trail) Note(kind string, attrs ...slog.Attr) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return ErrClosed
	}
	if err := t.prepare(0); err != nil {
		t.degrade(err)
		return fmt.Errorf("trail: note %s: %w", kind, err)
	}
	return t.writeNote(kind, attrs...)
}

// writeNote encodes and appends a note. t.mu is held.
func (t *Trail) writeNote(kind string, attrs ...slog.Attr) error {
	wall, _ := t.opts.clock.now()
	return t.appendNote(kind, encodeNote(kind, wall, attrs))
}

func (t *Trail) appendNote(kind string, line []byte) error {
	if len(line) > MaxLine {
		return fmt.Errorf("trail: note %s: %w", kind, errLongLine)
	}
	if _, err := t.append(line, 1); err != nil {
		t.degrade(err)
		return fmt.Errorf("trail: note %s: %w", kind, err)
	}
	return nil
}

// maxPending bounds the notes that wait for a disk that takes them.
const maxPending = 64

// remark keeps a note until it can be written, before the next line. Its time
// is now. t.mu is held.
func (t *Trail) remark(kind string, attrs ...slog.Attr) {
	wall, _ := t.opts.clock.now()
	if len(t.pending) < maxPending {
		t.pending = append(t.pending, encodeNote(kind, wall, attrs))
	}
}

// flushRemarks writes the notes that wait. t.mu is held.
func (t *Trail) flushRemarks() error {
	for len(t.pending) > 0 {
		if _, err := t.append(t.pending[0], 1); err != nil {
			return err
		}
		t.pending = t.pending[1:]
	}
	return nil
}

// encodeNote returns a note's line, with its '\n'.
func encodeNote(kind string, at time.Time, attrs []slog.Attr) []byte {
	b := appendQuoted([]byte(`{"note":`), kind)
	b = append(b, `,"ts":"`...)
	b = audit.AppendTime(b, at)
	b = append(b, '"')
	for _, a := range attrs {
		b = appendAttr(append(b, ','), a)
	}
	return append(b, '}', '\n')
}

func appendAttr(b []byte, a slog.Attr) []byte {
	b = append(appendQuoted(b, a.Key), ':')
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindInt64:
		return strconv.AppendInt(b, v.Int64(), 10)
	case slog.KindUint64:
		return strconv.AppendUint(b, v.Uint64(), 10)
	case slog.KindBool:
		return strconv.AppendBool(b, v.Bool())
	case slog.KindFloat64:
		return appendFloat(b, v.Float64())
	case slog.KindTime:
		b = audit.AppendTime(append(b, '"'), v.Time())
		return append(b, '"')
	case slog.KindGroup:
		b = append(b, '{')
		for i, m := range v.Group() {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendAttr(b, m)
		}
		return append(b, '}')
	}
	if list, ok := v.Any().([]string); ok {
		b = append(b, '[')
		for i, s := range list {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendQuoted(b, s)
		}
		return append(b, ']')
	}
	return appendQuoted(b, v.String())
}

func appendFloat(b []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(b, "null"...)
	}
	return strconv.AppendFloat(b, f, 'g', -1, 64)
}

// appendQuoted appends s as a JSON string of printable ASCII, so that a note
// can fool neither a terminal nor a log pipeline.
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
			i++
		case c >= ' ' && c < 0x7f:
			b = append(b, c)
			i++
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			b = appendUnicode(b, r)
			i += size
		}
	}
	return append(b, '"')
}

func appendUnicode(b []byte, r rune) []byte {
	if hi, lo := utf16.EncodeRune(r); hi != utf8.RuneError {
		return fmt.Appendf(b, `\u%04x\u%04x`, hi, lo)
	}
	return fmt.Appendf(b, `\u%04x`, r)
}

// maxSample is how much of a torn tail a note keeps, in bytes.
const maxSample = 4096

// sample returns the start of b in printable form: bytes outside printable
// ASCII as \xNN, and a backslash doubled. NULs at the end are left out.
func sample(b []byte) string {
	out := make([]byte, 0, min(len(b), maxSample))
	end := len(b)
	for end > 0 && b[end-1] == 0 {
		end--
	}
	for _, c := range b[:min(end, maxSample)] {
		switch {
		case c == '\\':
			out = append(out, `\\`...)
		case c >= ' ' && c < 0x7f:
			out = append(out, c)
		default:
			out = fmt.Appendf(out, `\x%02x`, c)
		}
	}
	return string(out)
}
