package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/tooltrail/tooltrail/seal"
)

// Kinds of findings about several trails.
const (
	kindNoTrail seal.Kind = "trail_missing" // an anchor is of no trail
	kindTwice   seal.Kind = "log_twice"     // two trails say that they are one log
)

// An anchor is a checkpoint from a file.
type anchor struct {
	seal.Anchor
	file   string
	origin string
	used   bool
}

// readAnchors reads files of checkpoints; one may hold several.
func readAnchors(files []string) ([]*anchor, error) {
	var list []*anchor
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, &usageError{Err: err, Hint: "name a file that 'tooltrail checkpoint' printed"}
		}
		notes := splitNotes(string(text))
		for i, signed := range notes {
			c, err := seal.PeekCheckpoint([]byte(signed))
			if err != nil {
				return nil, &usageError{Err: fmt.Errorf("%s: %w", file, err), Hint: "name a file that 'tooltrail checkpoint' printed"}
			}
			name := filepath.Base(file)
			if len(notes) > 1 {
				name = fmt.Sprintf("%s (%d)", name, i+1)
			}
			list = append(list, &anchor{Anchor: seal.Anchor{Name: name, Signed: []byte(signed)}, file: file, origin: c.Origin})
		}
	}
	return list, nil
}

// splitNotes takes apart signed notes that follow each other, with an empty
// line in between or without.
func splitNotes(text string) (notes []string) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	var at strings.Builder
	signatures := false
	flush := func() {
		if at.Len() > 0 {
			notes = append(notes, at.String())
		}
		at.Reset()
		signatures = false
	}
	for line := range strings.Lines(text) {
		signature := strings.HasPrefix(line, "— ")
		if signatures && !signature {
			flush()
		}
		if line == "\n" && at.Len() == 0 {
			continue
		}
		signatures = signatures || signature
		at.WriteString(strings.TrimSuffix(line, "\n") + "\n")
	}
	flush()
	return notes
}

// isOf reports whether the anchor is of the log that a trail has by the name
// of its folder: KEYNAME/SLOT, or KEYNAME/SLOT/2.
func (c *anchor) isOf(dir string) bool {
	name := filepath.Base(dir)
	parent, last := path.Split(c.origin)
	if _, err := strconv.ParseUint(last, 10, 32); err == nil && path.Base(parent) == name {
		return true
	}
	return last == name
}

// anchorsOf leaves out the anchors of other trails, where only one is looked
// at. A file that holds none of this trail is left as it is: somebody expects
// one in it.
func anchorsOf(anchors []*anchor, dir string) []*anchor {
	origin := originOf(dir)
	concerns := func(c *anchor) bool { return c.origin == origin || c.isOf(dir) }
	helpful := map[string]bool{}
	for _, c := range anchors {
		helpful[c.file] = helpful[c.file] || concerns(c)
	}
	return slices.DeleteFunc(anchors, func(c *anchor) bool { return helpful[c.file] && !concerns(c) })
}

// originOf returns the log that a trail says it is; "" where it says nothing.
func originOf(dir string) string {
	b, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return ""
	}
	c, err := seal.PeekCheckpoint(b)
	if err != nil {
		return ""
	}
	return c.Origin
}

// missingTrails reports the logs that there are anchors of, and no trails.
func missingTrails(anchors []*anchor) (reports []*seal.Report) {
	for _, c := range anchors {
		if !c.used {
			reports = append(reports, &seal.Report{Origin: c.origin, Findings: []seal.Finding{{Kind: kindNoTrail,
				Says: fmt.Sprintf("%s is a checkpoint of this log, and no trail here is sealed as it: it was removed, or lies elsewhere", c.Name)}}})
		}
	}
	return reports
}
