package main

import (
	"time"

	"github.com/tooltrail/tooltrail/query"
)

// A statsReport is what stats --json prints.
type statsReport struct {
	Calls      uint64                 `json:"calls"`
	Errors     uint64                 `json:"errors"`
	First      *time.Time             `json:"first"` // null where there are no calls
	Last       *time.Time             `json:"last"`
	DurationUS durationReport         `json:"duration_us"`
	By         map[string][]rowReport `json:"by"`
	Lost       map[string]uint64      `json:"lost"`
	Unreadable uint64                 `json:"unreadable"` // places that were skipped
}

// A durationReport has durations in whole microseconds. The quantiles are
// within 1 %.
type durationReport struct {
	P50 int64 `json:"p50"`
	P95 int64 `json:"p95"`
	P99 int64 `json:"p99"`
	Max int64 `json:"max"`
}

type rowReport struct {
	Name       string         `json:"name"`            // "" where calls have none
	Other      bool           `json:"other,omitempty"` // all names beyond the first query.MaxNames
	Calls      uint64         `json:"calls"`
	Errors     uint64         `json:"errors"`
	DurationUS durationReport `json:"duration_us"`
}

// report returns all fields, or the one that was asked for.
func (s *statsCmd) report(st *query.Stats) statsReport {
	r := statsReport{
		Calls: st.Events, Errors: st.Errors, DurationUS: durationsOf(&st.Durations),
		By: map[string][]rowReport{}, Lost: st.Lost, Unreadable: st.Bad,
	}
	if r.Lost == nil {
		r.Lost = map[string]uint64{}
	}
	if st.Events > 0 {
		r.First, r.Last = &st.First, &st.Last
	}
	for _, g := range groupings {
		if s.by == "" || s.by == g.name {
			r.By[g.name] = rowsFor(g.of(st))
		}
	}
	return r
}

func rowsFor(g *query.Group) []rowReport {
	rows := []rowReport{}
	for _, r := range g.Rows() {
		rows = append(rows, rowReport{r.Name, r.Other, r.Calls, r.Errors, durationsOf(&r.Durations)})
	}
	return rows
}

func durationsOf(d *query.Durations) durationReport {
	return durationReport{
		P50: d.Quantile(0.5).Microseconds(), P95: d.Quantile(0.95).Microseconds(),
		P99: d.Quantile(0.99).Microseconds(), Max: d.Max().Microseconds(),
	}
}
