package atd

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/tooltrail/tooltrail/dispatch"
)

// PrometheusType is the content type of what AppendPrometheus writes.
const PrometheusType = "text/plain; version=0.0.4; charset=utf-8"

// AppendPrometheus appends the counts in Prometheus' text format, version 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/). Times are in
// seconds.
func (m Metrics) AppendPrometheus(b []byte) []byte {
	w := promWriter{b}
	w.one("tooltrail_atd_connections_total", "counter", "Connections accepted.", float64(m.Connections))
	w.one("tooltrail_atd_connections_refused_total", "counter", "Connections turned away because there were too many.", float64(m.TurnedAway))
	w.one("tooltrail_atd_connections", "gauge", "Connections that are open.", float64(m.Open))
	w.one("tooltrail_requests_total", "counter", "Requests dispatched, of any type.", float64(m.Requests))
	w.one("tooltrail_calls_running", "gauge", "Calls under way.", float64(m.Running))
	w.one("tooltrail_calls_overrunning", "gauge", "Calls that were answered and whose tools run on.", float64(m.Overrunning))
	w.one("tooltrail_audit_events_total", "counter", "Events given to the sink.", float64(m.Events))
	w.one("tooltrail_audit_lost_total", "counter", "Events that the sink lost.", float64(m.Drops))

	w.head("tooltrail_errors_total", "counter", "Error answers, by code.")
	for _, code := range slices.Sorted(maps.Keys(m.Errors)) {
		w.sample("tooltrail_errors_total", float64(m.Errors[code]), "code", code)
	}
	tools := slices.Sorted(maps.Keys(m.Tools))
	w.head("tooltrail_calls_total", "counter", "Calls, by tool and outcome; the tool is empty where there is none.")
	for _, id := range tools {
		for _, kind := range slices.Sorted(maps.Keys(m.Tools[id].Outcomes)) {
			w.sample("tooltrail_calls_total", float64(m.Tools[id].Outcomes[kind]), "tool", id, "outcome", kind)
		}
	}
	w.head("tooltrail_call_duration_seconds", "histogram", "How long calls took, by tool.")
	for _, id := range tools {
		w.histogram("tooltrail_call_duration_seconds", m.Tools[id].Latency, id)
	}
	return w.b
}

// A promWriter appends samples.
type promWriter struct{ b []byte }

func (w *promWriter) head(name, kind, help string) {
	w.b = fmt.Appendf(w.b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func (w *promWriter) one(name, kind, help string, value float64) {
	w.head(name, kind, help)
	w.sample(name, value)
}

func (w *promWriter) histogram(name string, h dispatch.Histogram, tool string) {
	if h.Count() == 0 {
		return
	}
	n := uint64(0)
	for i, bound := range dispatch.LatencyBounds {
		n += h.Buckets[i]
		w.sample(name+"_bucket", float64(n), "tool", tool, "le", strconv.FormatFloat(bound.Seconds(), 'g', -1, 64))
	}
	w.sample(name+"_bucket", float64(h.Count()), "tool", tool, "le", "+Inf")
	w.sample(name+"_sum", h.Sum.Seconds(), "tool", tool)
	w.sample(name+"_count", float64(h.Count()), "tool", tool)
}

// sample appends one line; labels are names and values in turn.
func (w *promWriter) sample(name string, value float64, labels ...string) {
	w.b = append(w.b, name...)
	for i := 0; i < len(labels); i += 2 {
		open := byte(',')
		if i == 0 {
			open = '{'
		}
		w.b = append(append(append(w.b, open), labels[i]...), '=')
		w.b = appendLabel(w.b, labels[i+1])
	}
	if len(labels) > 0 {
		w.b = append(w.b, '}')
	}
	w.b = strconv.AppendFloat(append(w.b, ' '), value, 'g', -1, 64)
	w.b = append(w.b, '\n')
}

// appendLabel appends a label's value. Only \, " and a newline are escaped.
func appendLabel(b []byte, value string) []byte {
	b = append(b, '"')
	for _, c := range []byte(value) {
		switch c {
		case '\\', '"':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
