package trail

import (
	"bytes"
	"log/slog"
	"time"

	"github.com/tooltrail/tooltrail/audit"
)

var (
	seqKey     = []byte(`,"seq":`)
	nextSeqKey = []byte(`,"next_seq":`)
	lostKey    = []byte(`,"lost":{"count":`)
	reasonKey  = []byte(`,"reason":"`)
	firstKey   = []byte(`,"first_seq":`)
	lastKey    = []byte(`,"last_seq":`)
)

// lineSeq returns the last sequence number that the line says was used up, by
// events in the trail or by lost ones; ok is false where it says nothing. The
// first match is the field: what can come before it holds no bare quote.
func lineSeq(line []byte) (seq uint64, ok bool) {
	switch kindOf(line) {
	case Event, Redacted:
		seq, _, ok = eventSeq(line)
		return seq, ok
	case Note:
		switch noteKind(line) {
		case "lost", "stop", "recovered", "degraded", "replaced":
			return numberAfter(line, seqKey)
		case "start":
			seq, ok = numberAfter(line, nextSeqKey)
			return seq - 1, ok && seq > 0
		}
	}
	return 0, false
}

// lastSeq returns the newest sequence number in whole lines, or before where
// they have none.
func lastSeq(lines []byte, before uint64) uint64 {
	for len(lines) > 0 {
		start := bytes.LastIndexByte(lines[:len(lines)-1], '\n') + 1
		if seq, ok := lineSeq(lines[start:]); ok {
			return seq
		}
		lines = lines[:start]
	}
	return before
}

// eventSeq returns the number of an event, and where it ends. A line has few
// letters q, so the search for one is faster than one for the whole key.
func eventSeq(line []byte) (seq uint64, end int, ok bool) {
	const before = len(`,"se`)
	for at := before; at < len(line); {
		i := bytes.IndexByte(line[at:], 'q')
		if i < 0 {
			break
		}
		at += i
		if bytes.HasPrefix(line[at-before:], seqKey) {
			end = at - before + len(seqKey)
			for end < len(line) && line[end] >= '0' && line[end] <= '9' {
				seq, ok = seq*10+uint64(line[end]-'0'), true
				end++
			}
			return seq, end, ok
		}
		at++
	}
	return 0, 0, false
}

// numberAfter reads the number behind the first occurrence of key.
func numberAfter(line, key []byte) (n uint64, ok bool) {
	i := bytes.Index(line, key)
	if i < 0 {
		return 0, false
	}
	for _, c := range line[i+len(key):] {
		if c < '0' || c > '9' {
			break
		}
		n, ok = n*10+uint64(c-'0'), true
	}
	return n, ok
}

// A span is a run of sequence numbers, first to last; empty if last < first.
type span struct{ first, last uint64 }

func (s span) count() uint64 {
	if s.last < s.first {
		return 0
	}
	return s.last - s.first + 1
}

// declared returns the loss that a line declares.
func declared(line []byte) (s span, reason string, ok bool) {
	var seq uint64
	var lost []byte
	if kindOf(line) == Event {
		// The loss stands right behind the number; what looks like one
		// elsewhere is part of captured arguments.
		n, end, found := eventSeq(line)
		if seq, ok = n, found && bytes.HasPrefix(line[end:], lostKey); ok {
			lost = line[end:]
		}
	} else if i := bytes.Index(line, lostKey); i >= 0 {
		lost = line[i:]
		seq, ok = lineSeq(line)
	}
	if !ok {
		return span{}, "", false
	}
	count, _ := numberAfter(lost, lostKey)
	if _, rest, ok := bytes.Cut(lost, reasonKey); ok {
		if end := bytes.IndexByte(rest, '"'); end >= 0 {
			reason = string(rest[:end])
		}
	}
	if kindOf(line) == Event {
		return span{seq - count, seq - 1}, reason, true
	}
	if first, ok := numberAfter(lost, firstKey); ok {
		last, _ := numberAfter(lost, lastKey)
		return span{first, last}, reason, true
	}
	return span{seq + 1 - count, seq}, reason, true
}

// lossAttr is the member "lost" of a note of the trail's own. The times are
// when the loss was found, as nobody knows better.
func lossAttr(s span, reason audit.LossReason, at time.Time) slog.Attr {
	return slog.Group("lost", slog.Uint64("count", s.count()),
		slog.Time("first_ts", at), slog.Time("last_ts", at), slog.String("reason", string(reason)),
		slog.Uint64("first_seq", s.first), slog.Uint64("last_seq", s.last))
}
