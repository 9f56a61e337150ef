package relay

import (
	"bytes"
	"strconv"
	"time"
)

// Bounds of the tools cache.
const (
	maxTools       = 10000
	maxSchema      = 256 << 10 // bytes of one schema
	maxSchemas     = 8 << 20   // bytes of names and schemas together
	maxToolsCursor = 4 << 10
)

// A toolCache knows the server's tools from the tools/list replies that pass.
// It speaks only where it has a whole list that is not outdated. The observer
// guards it.
type toolCache struct {
	tools map[string]*schema // nil until there is a whole, fresh list
	until time.Time          // when tools is no longer fresh; zero is when the server says so

	gen    uint64 // goes up when the server says that its tools changed
	pages  *toolList
	cursor string // of the page that continues pages
}

// A toolList is what some pages have in common.
type toolList struct {
	tools map[string]*schema // a nil schema: none that we can use
	until time.Time          // when it is no longer fresh; zero is not by time
	bytes int
	over  bool // too many tools to know them all
}

// know says what is known of a tool. Nothing is of a call that names none: its
// params are wrong, whatever the server has. A list past its ttlMs
// (2026-07-28, where a server need not say that its tools changed) no longer
// shows that a tool is absent; what it says of a tool still is the best guess.
func (t *toolCache) know(tool string, at time.Time) known {
	if t.tools == nil || tool == "" {
		return known{}
	}
	s, ok := t.tools[tool]
	switch {
	case !ok && !t.until.IsZero() && !at.Before(t.until):
		return known{}
	case !ok:
		return known{presence: absent}
	}
	return known{presence: present, schema: s}
}

// changed forgets everything: the server's tools are others now.
func (t *toolCache) changed() {
	t.gen++
	t.tools, t.pages, t.cursor = nil, nil, ""
}

// add takes the page that was asked for with a cursor; next is the cursor of
// the page after it, empty on the last.
func (t *toolCache) add(page *toolList, gen uint64, cursor, next string) {
	switch {
	case gen != t.gen:
		return // asked before the change
	case cursor == "":
		t.pages = page
	case t.pages != nil && cursor == t.cursor:
		t.pages.join(page)
	default:
		return // a page of another listing
	}
	t.cursor = next
	if next == "" {
		t.until = t.pages.until
		if t.tools = t.pages.tools; t.pages.over {
			t.tools = nil
		}
		t.pages = nil
	}
}

func (l *toolList) join(page *toolList) {
	l.over = l.over || page.over
	if l.until.IsZero() || !page.until.IsZero() && page.until.Before(l.until) {
		l.until = page.until
	}
	for name, s := range page.tools {
		l.put(name, s)
	}
}

func (l *toolList) put(name string, s *schema) {
	size := len(name)
	if s != nil {
		size += len(s.text)
	}
	if l.bytes+size > maxSchemas { // go on without schemas, then give up
		size, s = len(name), nil
	}
	if len(l.tools) == maxTools || l.bytes+size > maxSchemas {
		l.over = true
		return
	}
	l.bytes += size
	l.tools[name] = s
}

// readTools reads the tools of one page.
func readTools(m *message) *toolList {
	l := &toolList{tools: map[string]*schema{}}
	if m.kind(fTools) != '[' || !m.whole(fTools) {
		l.over = true
		return l
	}
	s := &scanner{top: nTool}
	s.emit = func(tool *message) {
		if b := tool.inner(fToolName); b != nil {
			l.put(decode(b, len(b)), readSchema(tool))
		}
	}
	s.feed(m.raw(fTools))
	return l
}

// maxTTL keeps times in range, in milliseconds: 34 years.
const maxTTL = 1 << 40

// freshUntil reads ttlMs, of a result that came at that time; zero is none.
func freshUntil(m *message, at time.Time) time.Time {
	ms, err := strconv.ParseInt(string(m.raw(fTTL)), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return at.Add(time.Duration(min(max(ms, 0), maxTTL)) * time.Millisecond)
}

func readSchema(tool *message) *schema {
	if b := tool.raw(fToolSchema); len(b) > 0 && b[0] == '{' && len(b) <= maxSchema {
		return &schema{text: bytes.Clone(b)}
	}
	return nil
}

// listTools tracks a request for a page.
func (o *Observer) listTools(m *message) {
	var buf [128]byte
	key := appendKey(buf[:0], m, fID)
	if len(key) == 0 {
		return
	}
	cursor := m.text(fCursor, maxToolsCursor)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.expectOther(&request{kind: kindList, key: string(key), cursor: cursor, gen: o.tools.gen})
}

func (o *Observer) toolsChanged() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tools.changed()
}

// toolsListed takes the page that answers a request.
func (o *Observer) toolsListed(r *request, m *message, at time.Time) {
	if !m.has(fResult) || !m.has(fTools) {
		return
	}
	page := readTools(m)
	page.until = freshUntil(m, at)
	next := m.text(fNextCursor, maxToolsCursor)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tools.add(page, r.gen, r.cursor, next)
}
