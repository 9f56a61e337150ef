package query

// A loss is what a line declares lost; see docs/formats/trail.md.
type loss struct {
	first, last uint64 // sequence numbers
	count       uint64
	reason      string
}

// loss reads the loss of the line that was parsed last. ok is false where it
// declares none: in a stop note, lost is a number.
func (p *parser) loss() (l loss, ok bool) {
	if !p.has(fieldLost) || p.line[p.lost.from] != '{' {
		return loss{}, false
	}
	w := walk(p.line[:p.lost.to], int(p.lost.from))
	for w.next() {
		value := p.line[w.from:w.to]
		switch string(w.name.in(p.line)) {
		case "count":
			l.count, _ = parseUint(value)
		case "first_seq":
			l.first, _ = parseUint(value)
		case "last_seq":
			l.last, _ = parseUint(value)
		case "reason":
			l.reason = string(w.content.in(p.line))
		}
	}
	if l.last == 0 && p.has(fieldSeq) && l.count <= p.seq {
		l.first, l.last = p.seq-l.count+1, p.seq
	}
	return l, !w.bad && l.count > 0
}
