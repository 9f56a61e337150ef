package audit

import "time"

// timeLayout is the wire form of a time without its fraction and offset.
const timeLayout = "2006-01-02T15:04:05"

// NowRFC3339 returns the current time in the wire form of ts: RFC 3339 in UTC,
// with 0, 3, 6 or 9 digits of fraction and the offset written as "+00:00".
func NowRFC3339() string { return string(AppendTime(make([]byte, 0, 35), time.Now())) }

// AppendTime appends t in the wire form of ts; see [NowRFC3339]. Years outside
// 0–9999, which RFC 3339 cannot hold, are clamped.
func AppendTime(dst []byte, t time.Time) []byte {
	var c clock
	return c.append(dst, t)
}

// A clock formats times and remembers the last second that it formatted, since
// events come many to a second.
type clock struct {
	second int64
	text   [len(timeLayout)]byte
	known  bool
}

var (
	minTime = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	maxTime = time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC)
)

func (c *clock) append(dst []byte, t time.Time) []byte {
	if second := t.Unix(); !c.known || second != c.second {
		if t.Before(minTime) {
			t = minTime
		} else if t.After(maxTime) {
			t = maxTime
		}
		t.UTC().AppendFormat(c.text[:0], timeLayout)
		c.second, c.known = t.Unix(), true
	}
	dst = append(dst, c.text[:]...)
	dst = appendFraction(dst, t.Nanosecond())
	return append(dst, "+00:00"...)
}

// appendFraction appends nothing, or a point and as many groups of three
// digits as it takes.
func appendFraction(dst []byte, nanos int) []byte {
	if nanos == 0 {
		return dst
	}
	var digits [10]byte
	digits[0] = '.'
	n := nanos
	for i := 9; i > 0; i-- {
		digits[i] = byte('0' + n%10)
		n /= 10
	}
	end := len(digits)
	switch {
	case nanos%1_000_000 == 0:
		end = 4
	case nanos%1_000 == 0:
		end = 7
	}
	return append(dst, digits[:end]...)
}
