package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// A limits says how long the parts of an event may be.
type limits struct {
	name    int // bytes of an identifier: tool_id, caller_id, code, …
	message int // bytes of invalid_args.message
	content int // bytes of args and of result
	items   int // elements of a list
	item    int // bytes of an element
}

var (
	// usual are the limits of docs/formats/event.md.
	usual = limits{name: 1 << 10, message: 4 << 10, content: 16 << 10, items: 256, item: 1 << 10}
	// tight are for an event that is within the usual limits and whose line
	// would still exceed MaxLineBytes, because every byte of a string can take
	// six in JSON. Within these, no line can.
	tight = limits{name: 128, message: 256, content: 0, items: 16, item: 48}
)

// admits reports whether ev is within the limits. It runs for each event.
func (l *limits) admits(ev *CallEvent) bool {
	o := &ev.Outcome
	return len(ev.ToolID) <= l.name && len(ev.CallerID) <= l.name && len(ev.CallID) <= l.name &&
		len(ev.Principal) <= l.name && len(ev.SessionID) <= l.name && len(ev.RequestID) <= l.name &&
		len(ev.TraceID) <= l.name && len(ev.SpanID) <= l.name && len(ev.ParentCallID) <= l.name &&
		len(ev.Server) <= l.name && len(ev.Client) <= l.name &&
		len(ev.ArgsMAC) <= l.name && len(ev.ResultMAC) <= l.name &&
		len(o.Code) <= l.name && len(o.Message) <= l.message &&
		len(ev.Args) <= l.content && len(ev.Result) <= l.content &&
		len(ev.Flags) < l.items && // there is to be room for invalid_utf8
		l.admitsLists(ev)
}

func (l *limits) admitsLists(ev *CallEvent) bool {
	if len(ev.CapabilityProvenance)+len(ev.Truncated) > 0 {
		return l.admitsRecords(ev)
	}
	return l.admitsList(ev.GrantedCapabilities) && l.admitsList(ev.Outcome.Missing) && l.admitsList(ev.Flags)
}

func (l *limits) admitsRecords(ev *CallEvent) bool {
	for _, p := range ev.CapabilityProvenance {
		if len(p.Cap) > l.item || len(p.Source.Kind) > l.item || len(p.Source.IssuerDID) > l.item {
			return false
		}
	}
	for _, t := range ev.Truncated {
		if len(t.Field) > l.item || len(t.SHA256) > l.item {
			return false
		}
	}
	return len(ev.CapabilityProvenance) <= l.items && len(ev.Truncated) <= l.items &&
		l.admitsList(ev.GrantedCapabilities) && l.admitsList(ev.Outcome.Missing) && l.admitsList(ev.Flags)
}

func (l *limits) admitsList(list []string) bool {
	for _, s := range list {
		if len(s) > l.item {
			return false
		}
	}
	return len(list) <= l.items
}

// cut returns a copy of ev within the limits, with the bytes that are not UTF-8
// replaced and flagged. The copy shares no memory with what was cut, so that a
// short rest does not keep a long original alive.
func (l *limits) cut(ev *CallEvent) *CallEvent {
	cut := *ev
	c := cutter{limits: l, record: slices.Clone(ev.Truncated)}
	c.string("call_id", &cut.CallID, l.name)
	c.string("tool_id", &cut.ToolID, l.name)
	c.string("caller_id", &cut.CallerID, l.name)
	c.string("outcome.code", &cut.Outcome.Code, l.name)
	c.string("outcome.message", &cut.Outcome.Message, l.message)
	c.string("principal", &cut.Principal, l.name)
	c.string("session_id", &cut.SessionID, l.name)
	c.requestID(&cut.RequestID)
	c.string("trace_id", &cut.TraceID, l.name)
	c.string("span_id", &cut.SpanID, l.name)
	c.string("parent_call_id", &cut.ParentCallID, l.name)
	c.string("server", &cut.Server, l.name)
	c.string("client", &cut.Client, l.name)
	c.string("args_mac", &cut.ArgsMAC, l.name)
	c.string("result_mac", &cut.ResultMAC, l.name)
	c.string("args", &cut.Args, l.content)
	c.string("result", &cut.Result, l.content)
	c.list("granted_capabilities", &cut.GrantedCapabilities)
	c.list("outcome.missing", &cut.Outcome.Missing)
	c.provenance(&cut.CapabilityProvenance)
	c.flags(&cut.Flags)
	cut.Truncated = c.records()
	return &cut
}

// A cutter cuts fields and records what they were.
type cutter struct {
	*limits
	record []Truncation
	mended bool // something was not UTF-8
}

func (c *cutter) string(field string, s *string, limit int) {
	mended := c.mend(*s)
	if len(mended) > limit {
		c.note(field, *s)
		mended = shorten(mended, limit)
	}
	*s = mended
}

// requestID cuts the text of an id, and keeps it what it was: a string.
func (c *cutter) requestID(text *string) {
	*text = c.mend(*text)
	if len(*text) <= c.name {
		return
	}
	c.note("request_id", *text)
	var id string
	if json.Unmarshal([]byte(*text), &id) != nil {
		id = *text
	}
	*text = StringID(shorten(id, c.name/8))
}

func (c *cutter) list(field string, list *[]string) {
	kept := make([]string, min(len(*list), c.items))
	for i := range kept {
		mended := c.mend((*list)[i])
		kept[i] = shorten(mended, c.item)
		if len(mended) > c.item {
			c.noteList(field, len(*list))
		}
	}
	if len(*list) > c.items {
		c.noteList(field, len(*list))
	}
	if len(*list) > 0 {
		*list = kept
	}
}

func (c *cutter) provenance(list *[]Provenance) {
	kept := slices.Clone((*list)[:min(len(*list), c.items)])
	long := len(*list) > c.items
	for i := range kept {
		p := &kept[i]
		for _, s := range []*string{&p.Cap, &p.Source.Kind, &p.Source.IssuerDID} {
			mended := c.mend(*s)
			long = long || len(mended) > c.item
			*s = shorten(mended, c.item)
		}
	}
	if long {
		c.noteList("capability_provenance", len(*list))
	}
	*list = kept
}

// flags cuts the flags and adds the one that says that something was mended.
func (c *cutter) flags(list *[]string) {
	if len(*list) >= c.items {
		c.noteList("flags", len(*list))
		*list = (*list)[:c.items-2] // with room for invalid_utf8
	}
	c.list("flags", list)
	if c.mended && !slices.Contains(*list, FlagInvalidUTF8) {
		*list = append(slices.Clip(*list), FlagInvalidUTF8)
	}
}

// mend replaces each byte that is not UTF-8 by U+FFFD.
func (c *cutter) mend(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	c.mended = true
	return string([]rune(s))
}

// note records a string, unless an earlier cut of the same field is recorded:
// the first one saw the original.
func (c *cutter) note(field, original string) {
	if c.noted(field) {
		return
	}
	digest := sha256.Sum256([]byte(original))
	c.record = append(c.record, Truncation{
		Field: field, Bytes: int64(len(original)), SHA256: hex.EncodeToString(digest[:]),
	})
}

func (c *cutter) noteList(field string, elements int) {
	if !c.noted(field) {
		c.record = append(c.record, Truncation{Field: field, Bytes: int64(elements)})
	}
}

func (c *cutter) noted(field string) bool {
	return slices.ContainsFunc(c.record, func(t Truncation) bool { return t.Field == field })
}

// records returns what was cut, itself within bounds. Our own records come
// last, and there are fewer fields than maxRecords, so they are all kept.
func (c *cutter) records() []Truncation {
	const maxRecords = 24
	kept := c.record[max(len(c.record)-maxRecords, 0):]
	for i := range kept {
		kept[i].Field, kept[i].SHA256 = shorten(c.mend(kept[i].Field), 32), shorten(c.mend(kept[i].SHA256), 64)
	}
	return kept
}

// shorten returns the first bytes of s, at most limit of them, that do not end
// inside a character; a copy, if anything is cut.
func shorten(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	end := limit
	for back := 0; end > 0 && back < utf8.UTFMax && !utf8.RuneStart(s[end]); back++ {
		end--
	}
	return strings.Clone(s[:end])
}
