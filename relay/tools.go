package relay

import "bytes"

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

	gen    uint64 // goes up when the server says that its tools changed
	pages  *toolList
	cursor string // of the page that continues pages
}

// A toolList is what some pages have in common.
type toolList struct {
	tools map[string]*schema // a nil schema: none that we can use
	bytes int
	over  bool // too many tools to know them all
}

// know says what is known of a tool. Nothing is of a call that names none: its
// params are wrong, whatever the server has.
func (t *toolCache) know(tool string) known {
	if t.tools == nil || tool == "" {
		return known{}
	}
	s, ok := t.tools[tool]
	if !ok {
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
		if t.tools = t.pages.tools; t.pages.over {
			t.tools = nil
		}
		t.pages = nil
	}
}

func (l *toolList) join(page *toolList) {
	l.over = l.over || page.over
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
func (o *Observer) toolsListed(r *request, m *message) {
	if !m.has(fResult) || !m.has(fTools) {
		return
	}
	page := readTools(m)
	next := m.text(fNextCursor, maxToolsCursor)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tools.add(page, r.gen, r.cursor, next)
}
