package query

import (
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/trail"
)

// MaxPlaces is how many bad places [Stats] keeps.
const MaxPlaces = 100

// Stats adds up the events that a filter lets through.
type Stats struct {
	// Events is how many there are, Errors how many did not succeed.
	Events, Errors uint64
	// Notes is how many notes the filter lets through.
	Notes uint64
	// First and Last are the earliest and the latest time of these events;
	// zero where there are none.
	First, Last time.Time
	// Durations of all these events.
	Durations Durations
	// Outcomes, Tools, Callers and Servers add them up by name. Codes does so
	// for execution_failed alone.
	Outcomes, Codes, Tools, Callers, Servers Group
	// Lost is how many events were declared lost, by reason, in the lines
	// between since: and until:, whatever the filter's other words say: of a
	// lost event nobody knows the tool. A loss that two notes declare counts
	// once.
	Lost map[string]uint64
	// Bad is how many places could not be read or hold lines that are not
	// ours; Places are the first MaxPlaces of them, in the order of trails and
	// lines.
	Bad    uint64
	Places []*trail.CorruptError
}

// LostEvents is the sum of Lost.
func (s *Stats) LostEvents() (n uint64) {
	for _, count := range s.Lost {
		n += count
	}
	return n
}

// A tally adds up one segment, and then a whole trail or home.
type tally struct {
	Stats
	first, last int64
	notes       []loss // losses that notes declare, which may be said twice
}

// event counts the event that m read last.
func (t *tally) event(m *matcher, line []byte) {
	us := m.duration()
	failed := m.outcome != uint8(audit.KindSuccess)
	if t.Events == 0 || m.when < t.first {
		t.first = m.when
	}
	if t.Events == 0 || m.when > t.last {
		t.last = m.when
	}
	t.Events++
	if failed {
		t.Errors++
	}
	t.Durations.add(us)
	t.Tools.row(m.tool.in(line)).add(failed, us)
	t.Callers.row(m.caller.in(line)).add(failed, us)
	t.Servers.row(m.server.in(line)).add(failed, us)
	t.Outcomes.row([]byte(outcomeNames[m.outcome])).add(failed, us)
	if m.outcome == uint8(audit.KindExecutionFailed) {
		t.Codes.row(m.code.in(line)).add(failed, us)
	}
}

// bad counts a place that could not be read.
func (t *tally) bad(c *trail.CorruptError) {
	t.Bad++
	if len(t.Places) < MaxPlaces {
		t.Places = append(t.Places, c)
	}
}

func (t *tally) lose(reason string, count uint64) {
	if t.Lost == nil {
		t.Lost = map[string]uint64{}
	}
	t.Lost[reason] += count
}

// merge adds other, which comes later.
func (t *tally) merge(other *tally) {
	if other.Events > 0 {
		if t.Events == 0 || other.first < t.first {
			t.first = other.first
		}
		if t.Events == 0 || other.last > t.last {
			t.last = other.last
		}
	}
	t.Events += other.Events
	t.Errors += other.Errors
	t.Notes += other.Notes
	t.Durations.merge(&other.Durations)
	t.Outcomes.merge(&other.Outcomes)
	t.Codes.merge(&other.Codes)
	t.Tools.merge(&other.Tools)
	t.Callers.merge(&other.Callers)
	t.Servers.merge(&other.Servers)
	for reason, count := range other.Lost {
		t.lose(reason, count)
	}
	t.notes = append(t.notes, other.notes...)
	t.Bad += other.Bad
	t.Places = append(t.Places, other.Places[:min(len(other.Places), MaxPlaces-len(t.Places))]...)
}

// settle turns the losses of one trail's notes into counts, each once.
func (t *tally) settle() {
	said := make(map[loss]bool, len(t.notes))
	for _, l := range t.notes {
		if !said[l] {
			said[l] = true
			t.lose(l.reason, l.count)
		}
	}
	t.notes = nil
}

// stats returns the result.
func (t *tally) stats() *Stats {
	s := t.Stats
	if s.Events > 0 {
		s.First, s.Last = time.Unix(0, t.first).UTC(), time.Unix(0, t.last).UTC()
	}
	return &s
}
