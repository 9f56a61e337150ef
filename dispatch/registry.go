package dispatch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// MaxID is how long a tool's id may be, in bytes. It is what an event keeps.
const MaxID = 1 << 10

// A Registry holds tools by their id. Add what there is before it is given to
// New; it must not change afterwards.
type Registry struct {
	entries map[string]*entry
	shown   []Summary // sorted by id, without the hidden ones
}

// An entry is a tool with what dispatch keeps of it.
type entry struct {
	tool  Tool
	pager Pager // nil where the tool does not paginate
	def   *Definition
	tier  int // its place in Tiers
	args  *argsCheck
	slots slots
	stats toolStats
}

// NewRegistry returns a registry of tools; see [Registry.Add].
func NewRegistry(tools ...Tool) (*Registry, error) {
	r := &Registry{entries: map[string]*entry{}}
	for _, t := range tools {
		if err := r.Add(t); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Add adds a tool. The error says that its id is empty, too long or taken, its
// tier or visibility unknown, or its input schema none.
func (r *Registry) Add(t Tool) error {
	def := t.Definition().complete()
	if err := r.check(def); err != nil {
		return fmt.Errorf("dispatch: add tool %q: %w", clip(def.ID), err)
	}
	args, err := newArgsCheck(def.InputSchema)
	if err != nil {
		return fmt.Errorf("dispatch: add tool %q: input schema: %w", def.ID, err)
	}
	e := &entry{tool: t, def: def, args: args}
	e.pager, _ = t.(Pager)
	e.tier = def.Tier.index()
	e.slots.limit = int64(def.Resources.MaxConcurrent)
	r.entries[def.ID] = e
	if def.Visibility != VisibilityHidden {
		s := def.Summary()
		i, _ := slices.BinarySearchFunc(r.shown, s, func(a, b Summary) int { return strings.Compare(a.ID, b.ID) })
		r.shown = slices.Insert(r.shown, i, s)
	}
	return nil
}

func (r *Registry) check(def *Definition) error {
	switch {
	case def.ID == "":
		return errors.New("the id is empty")
	case len(def.ID) > MaxID:
		return fmt.Errorf("the id has %d bytes, more than %d", len(def.ID), MaxID)
	case r.entries[def.ID] != nil:
		return errors.New("there is one with this id already")
	case !slices.Contains(Tiers, def.Tier.orWarm()):
		return fmt.Errorf("there is no tier %q", def.Tier)
	case !slices.Contains(visibilities, def.Visibility):
		return fmt.Errorf("there is no visibility %q", def.Visibility)
	}
	return nil
}

var visibilities = []Visibility{VisibilityRead, VisibilityWrite, VisibilityDangerous, VisibilitySystem, VisibilityHidden}

// Saturate takes every permit of a tool for ever, so that each call of it is
// rate limited. Conformance tests of clients need such a tool.
func (r *Registry) Saturate(id string) error {
	e := r.entries[id]
	if e == nil || e.slots.limit == 0 {
		return fmt.Errorf("dispatch: %q is no tool with a limit", clip(id))
	}
	for e.slots.take() {
	}
	return nil
}

// clip shortens an id for a message.
func clip(id string) string {
	if len(id) <= MaxID {
		return id
	}
	return strings.ToValidUTF8(id[:MaxID], "") + "…"
}
