package query

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

var errWhen = errors.New("want a time such as 2026-11-24T09:30:00Z, 2026-11-24, 15:04, 2h or 3d")

// clockLayouts are times of the day, of which the date is today's.
var clockLayouts = []string{"15:04", "15:04:05"}

// localLayouts are times without a zone: they are in the zone of now.
var localLayouts = []string{"2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02 15:04:05"}

// parseWhen reads the value of since: or until:. A date stands for its first
// moment, or with endOfDay for its last: since and until the same date give
// that whole day.
func parseWhen(s string, now time.Time, endOfDay bool) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, now.Location()); err == nil {
		if endOfDay {
			t = t.AddDate(0, 0, 1)
		}
		return t, nil
	}
	for _, layout := range clockLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			y, m, d := now.Date()
			return time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), now.Location()), nil
		}
	}
	for _, layout := range localLayouts {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, nil
		}
	}
	if d, ok := parseAge(s); ok {
		return now.Add(-d), nil
	}
	return time.Time{}, errWhen
}

// parseAge reads a duration that may begin with weeks and days: 3d, 1w2d, 2h,
// 1d12h.
func parseAge(s string) (total time.Duration, ok bool) {
	rest := s
	for _, unit := range []struct {
		name string
		size time.Duration
	}{{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}} {
		number, after, found := strings.Cut(rest, unit.name)
		if !found {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil || n > uint64((math.MaxInt64-int64(total))/int64(unit.size)) {
			return 0, false
		}
		total += time.Duration(n) * unit.size
		rest = after
	}
	if rest == "" {
		return total, s != ""
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 || d > math.MaxInt64-total {
		return 0, false
	}
	return total + d, true
}

var (
	firstNano = time.Unix(0, math.MinInt64)
	lastNano  = time.Unix(0, math.MaxInt64)
)

// nanos returns t in nanoseconds since 1970; times that do not fit, before
// 1678 and after 2261, become the first or the last that does.
func nanos(t time.Time) int64 {
	switch {
	case t.Before(firstNano):
		return math.MinInt64
	case t.After(lastNano):
		return math.MaxInt64
	}
	return t.UnixNano()
}
