package query

import "bytes"

// usual reads the part of a line from its start to its outcome, if it stands
// exactly as this project's encoder and the ATD write it: the order of
// docs/formats/event.md, no white space, and no escapes in the names. It
// returns where the walk goes on, or 0 for a line that deviates. What it read
// until then is of no use.
func (p *parser) usual() int {
	b := p.line
	i := p.literal(0, `{"ts":"`)
	start := i
	if i = p.plain(i, `","call_id":"`, nil); i == 0 {
		return 0
	}
	var ok bool
	if p.when, ok = p.stamp.nanos(b[start : i-len(`","call_id":"`)]); !ok {
		return 0
	}
	if i = p.plain(i, `","tool_id":"`, &p.id); i == 0 {
		return 0
	}
	if i = p.plain(i, `",`, &p.tool); i == 0 {
		return 0
	}
	p.seen = fieldTime | fieldID | fieldTool
	if next := p.literal(i, `"caller_id":"`); next != 0 {
		if i = p.plain(next, `",`, &p.caller); i == 0 {
			return 0
		}
		p.seen |= fieldCaller
	}
	if i = p.capabilities(i); i == 0 {
		return 0
	}
	return p.usualEnding(i)
}

// literal returns the index behind s at b[i], or 0 where something else stands.
func (p *parser) literal(i int, s string) int {
	if len(p.line)-i >= len(s) && string(p.line[i:i+len(s)]) == s {
		return i + len(s)
	}
	return 0
}

// plain reads string content without escapes from b[i] on, which then must
// stand. It returns the index behind then, or 0.
func (p *parser) plain(i int, then string, to *text) int {
	if i == 0 {
		return 0
	}
	end := special(p.line, i)
	if to != nil {
		*to = text{int32(i), int32(min(end, len(p.line))), false}
	}
	return p.literal(min(end, len(p.line)), then)
}

// capabilities steps over the granted capabilities.
func (p *parser) capabilities(i int) int {
	if next := p.literal(i, `"granted_capabilities":[],"duration_ms":`); next != 0 {
		return next
	}
	if i = p.literal(i, `"granted_capabilities":`); i == 0 {
		return 0
	}
	if i = skipValue(p.line, i); i < 0 {
		return 0
	}
	return p.literal(i, `,"duration_ms":`)
}

// usualEnding reads the duration at b[i], and the outcome.
func (p *parser) usualEnding(i int) int {
	n := bytes.IndexByte(p.line[i:min(len(p.line), i+24)], ',')
	if n < 0 {
		return 0
	}
	millis, ok := parseUint(p.line[i : i+n])
	if !ok {
		return 0
	}
	p.millis = millis
	p.seen |= fieldMillis
	if i = p.literal(i+n, `,"outcome":`); i == 0 {
		return 0
	}
	if next := p.literal(i, `{"kind":"success"}`); next != 0 {
		p.outcome = 1
		p.seen |= fieldOutcome
		return p.settings(next)
	}
	to := skipValue(p.line, i)
	if to < 0 || !p.ending(i, to) {
		return 0
	}
	return p.settings(to)
}

// settings steps over the fields from tier on, where they hold what they
// mostly hold, and reads what follows. They say nothing that a record keeps.
func (p *parser) settings(i int) int {
	if next := p.literal(i, `,"tier":"warm","dry_run":false,"schema_version":4,"secrets_resolved":false`); next != 0 {
		i = next
	}
	if p.seen&p.need == p.need {
		return i
	}
	return p.usualTail(i)
}
