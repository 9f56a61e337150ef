package query

import "time"

// A stamper reads timestamps. Events come many to a minute, so it remembers
// the last minute that it read.
type stamper struct {
	minute [16]byte // such as 2026-11-24T09:30
	start  int64    // its first nanosecond since 1970
	known  bool
}

// nanos reads an RFC 3339 timestamp as nanoseconds since 1970, clamped to what
// they can hold. The shape that we write is read by hand.
func (s *stamper) nanos(b []byte) (int64, bool) {
	if len(b) > 19 && b[16] == ':' {
		if within, ok := secondsIn(b[17:]); ok && s.knows(b) {
			return s.start + within, true
		}
	}
	t, err := time.Parse(time.RFC3339Nano, string(b))
	if err != nil {
		return 0, false
	}
	return nanos(t), true
}

// knows reports whether b begins with a minute that s knows, and learns it.
func (s *stamper) knows(b []byte) bool {
	if s.known && string(s.minute[:]) == string(b[:16]) {
		return true
	}
	t, err := time.Parse("2006-01-02T15:04", string(b[:16]))
	if err != nil || t.Year() < 1700 || t.Year() > 2200 {
		return false
	}
	copy(s.minute[:], b)
	s.start, s.known = t.UnixNano(), true
	return true
}

// secondsIn reads "56[.fraction]" and a UTC offset, as nanoseconds.
func secondsIn(b []byte) (n int64, ok bool) {
	hi, lo := b[0]-'0', b[1]-'0'
	if hi > 5 || lo > 9 {
		return 0, false
	}
	n = int64(hi*10+lo) * 1e9
	b = b[2:]
	if b[0] == '.' {
		scale := int64(1e8)
		i := 1
		for ; i < len(b) && b[i]-'0' <= 9; i++ {
			n += int64(b[i]-'0') * scale
			scale /= 10
		}
		if i == 1 {
			return 0, false
		}
		b = b[i:]
	}
	return n, string(b) == "+00:00" || string(b) == "Z"
}
