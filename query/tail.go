package query

// A usualField is a field that may follow the settings of a line.
type usualField struct {
	key   string // with the comma and the quotes around it
	field uint16 // 0 for one that a record does not keep
}

// usualFields are in the order of docs/formats/event.md, in which all but lost
// are strings or numbers. What follows them is left to the walk.
var usualFields = [...]usualField{
	{`,"seq":`, fieldSeq},
	{`,"duration_us":`, fieldDuration},
	{`,"overhead_us":`, 0},
	{`,"decided_by":`, 0},
	{`,"principal":`, fieldPrincipal},
	{`,"session_id":`, fieldSession},
	{`,"request_id":`, 0},
	{`,"trace_id":`, 0},
	{`,"span_id":`, 0},
	{`,"parent_call_id":`, 0},
	{`,"server":`, fieldServer},
	{`,"transport":`, 0},
	{`,"client":`, 0},
	{`,"args_bytes":`, 0},
	{`,"result_bytes":`, 0},
	{`,"args_mac":`, 0},
	{`,"result_mac":`, 0},
}

// usualTail reads the usual fields that stand at b[i], one after the other,
// until the needed ones were met. It returns where the walk goes on: at a
// field that is none of them, is out of order, or holds something unusual.
func (p *parser) usualTail(i int) int {
	for k := range usualFields {
		f := &usualFields[k]
		if i+3 > len(p.line) || p.line[i+2] != f.key[2] {
			continue
		}
		start := p.literal(i, f.key)
		if start == 0 {
			continue
		}
		next := p.usualValue(start, f.field)
		if next == 0 || p.seen&p.need == p.need {
			return max(next, i)
		}
		i = next
	}
	return i
}

// usualValue reads a string without escapes or a number, and returns the index
// behind it, or 0.
func (p *parser) usualValue(i int, field uint16) int {
	if i < len(p.line) && p.line[i] == '"' {
		end := special(p.line, i+1)
		if end >= len(p.line) || p.line[end] != '"' {
			return 0
		}
		if to := p.textOf(field); to != nil {
			*to = text{int32(i + 1), int32(end), false}
			p.seen |= field
		}
		return end + 1
	}
	n, end, ok := digits(p.line, i)
	if !ok {
		return 0
	}
	switch field {
	case fieldSeq:
		p.seq = n
	case fieldDuration:
		p.micros = n
	default:
		return end
	}
	p.seen |= field
	return end
}

// textOf returns where a record keeps a field that is a string, or nil.
func (r *record) textOf(field uint16) *text {
	switch field {
	case fieldPrincipal:
		return &r.principal
	case fieldSession:
		return &r.session
	case fieldServer:
		return &r.server
	}
	return nil
}

// digits reads a number of at most 18 digits, which cannot overflow, that a
// comma or a brace ends.
func digits(b []byte, i int) (n uint64, end int, ok bool) {
	for end = i; end < len(b) && b[end]-'0' <= 9; end++ {
		n = n*10 + uint64(b[end]-'0')
	}
	ok = end > i && end-i <= 18 && end < len(b) && (b[end] == ',' || b[end] == '}')
	return n, end, ok
}
