package query

import (
	"cmp"
	"slices"
)

// MaxNames is how many names a [Group] tells apart.
const MaxNames = 10_000

// Other is the name of the row that stands for the names beyond [MaxNames]. It
// cannot be mistaken for a tool: see [Row].
const Other = "(other)"

// A Row adds up the calls that share a name.
type Row struct {
	// Name is the tool, caller and so on; "" where lines have none.
	Name string
	// Other marks the row of all names beyond MaxNames.
	Other bool
	// Calls is how many events there are, Errors how many of them did not
	// succeed.
	Calls, Errors uint64
	// Durations of these calls.
	Durations Durations
}

// A Group holds the rows of one field. The zero value is empty.
type Group struct {
	rows  map[string]*Row
	other *Row
	last  *Row // the row that was used last; names come in runs
}

// row returns the row of a name, and makes it where there is room.
func (g *Group) row(name []byte) *Row {
	if g.last != nil && !g.last.Other && g.last.Name == string(name) {
		return g.last
	}
	r := g.rows[string(name)]
	if r == nil {
		r = g.newRow(string(name))
	}
	g.last = r
	return r
}

func (g *Group) newRow(name string) *Row {
	if len(g.rows) >= MaxNames {
		return g.rest()
	}
	if g.rows == nil {
		g.rows = map[string]*Row{}
	}
	r := &Row{Name: name}
	g.rows[name] = r
	return r
}

// rest returns the row of all other names.
func (g *Group) rest() *Row {
	if g.other == nil {
		g.other = &Row{Name: Other, Other: true}
	}
	return g.other
}

func (r *Row) add(failed bool, us uint64) {
	r.Calls++
	if failed {
		r.Errors++
	}
	r.Durations.add(us)
}

func (r *Row) merge(other *Row) {
	r.Calls += other.Calls
	r.Errors += other.Errors
	r.Durations.merge(&other.Durations)
}

// merge adds other, whose names beyond the limit go to the row of others.
func (g *Group) merge(other *Group) {
	for _, r := range other.Rows() {
		if r.Other {
			g.rest().merge(r)
			continue
		}
		g.row([]byte(r.Name)).merge(r)
	}
}

// Len is how many rows there are.
func (g *Group) Len() int {
	if g.other != nil {
		return len(g.rows) + 1
	}
	return len(g.rows)
}

// Rows returns the rows, those with the most calls first and of equals the
// first by name; the row of others comes last.
func (g *Group) Rows() []*Row {
	rows := make([]*Row, 0, g.Len())
	for _, r := range g.rows {
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b *Row) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Name, b.Name))
	})
	if g.other != nil {
		rows = append(rows, g.other)
	}
	return rows
}
