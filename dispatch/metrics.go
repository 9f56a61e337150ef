package dispatch

import (
	"strconv"
	"sync/atomic"

	"github.com/tooltrail/tooltrail/audit"
)

// metrics count what a dispatcher does. They are bounded: callers choose the
// ids of tools that do not exist, so these share one place.
type metrics struct {
	requests atomic.Uint64
	events   atomic.Uint64
	running  atomic.Int64
	byCode   [len(countedCodes) + 1]atomic.Uint64 // the last is for any other
	unknown  toolStats                            // calls of no tool of ours
}

// countedCodes are the codes of errors; 0 is an error without one.
var countedCodes = [...]Code{
	0, CodeMalformed, CodeUnavailable, CodeDenied, CodeRateLimited, CodeBroker, CodeTokenInvalid, CodeTokenExpired,
	CodeTooDeep, CodeAudience, CodeCursorExpired, CodeCursorInvalid, CodeUnhandled,
}

// toolStats count the calls of a tool.
type toolStats struct {
	outcomes [audit.KindToolNotFound + 1]atomic.Uint64
	latency  liveHistogram
}

func (m *metrics) refused(code Code) {
	for i, c := range countedCodes {
		if c == code {
			m.byCode[i].Add(1)
			return
		}
	}
	m.byCode[len(countedCodes)].Add(1)
}

// ended counts a call just before its event is recorded.
func (m *metrics) ended(c *call) {
	stats := &m.unknown
	if c.entry != nil {
		stats = &c.entry.stats
	}
	kind := c.event.Outcome.Kind
	stats.outcomes[kind].Add(1)
	stats.latency.add(c.event.Duration)
	m.running.Add(-1)
	m.events.Add(1)
}

// Metrics are a dispatcher's counts at one moment.
type Metrics struct {
	// Requests are all that Handle was given, of any type.
	Requests uint64 `json:"dispatched_requests"`
	// Errors are the error answers by their code; "none" are those without.
	Errors map[string]uint64 `json:"dispatch_errors_by_code"`
	// Events are the events given to the sink, Drops those that it lost.
	Events uint64 `json:"audit_events_total"`
	Drops  uint64 `json:"audit_drops_total"`
	// Running are the calls under way, Overrunning those that were answered
	// and whose tools run on.
	Running     int64 `json:"running_calls"`
	Overrunning int64 `json:"overrunning_calls"`
	// Tools are the calls by tool; "" stands for calls of tools that do not
	// exist, and dry runs.
	Tools map[string]ToolMetrics `json:"tools"`
}

// ToolMetrics are the counts of a tool.
type ToolMetrics struct {
	Outcomes map[string]uint64 `json:"outcomes"` // by kind
	Latency  Histogram         `json:"latency"`
}

// Snapshot returns the counts. It may be called at any time.
func (d *Dispatcher) Snapshot() Metrics {
	m := Metrics{
		Requests: d.metrics.requests.Load(), Events: d.metrics.events.Load(), Running: d.metrics.running.Load(),
		Errors: map[string]uint64{}, Tools: map[string]ToolMetrics{},
	}
	for i := range d.metrics.byCode {
		if n := d.metrics.byCode[i].Load(); n > 0 {
			m.Errors[codeLabel(i)] = n
		}
	}
	if s, ok := d.opts.Sink.(interface{ Stats() audit.Stats }); ok {
		m.Drops = s.Stats().Lost
	}
	m.Tools[""] = d.metrics.unknown.load()
	for id, e := range d.registry.entries {
		m.Tools[id] = e.stats.load()
		m.Overrunning += e.slots.overruns.Load()
	}
	return m
}

func codeLabel(i int) string {
	switch {
	case i == len(countedCodes):
		return "other"
	case countedCodes[i] == 0:
		return "none"
	}
	return strconv.Itoa(int(countedCodes[i]))
}

func (s *toolStats) load() ToolMetrics {
	m := ToolMetrics{Outcomes: map[string]uint64{}, Latency: s.latency.load()}
	for kind := range s.outcomes {
		if n := s.outcomes[kind].Load(); n > 0 {
			m.Outcomes[audit.OutcomeKind(kind).String()] = n
		}
	}
	return m
}
