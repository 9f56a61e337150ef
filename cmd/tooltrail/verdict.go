package main

import (
	"bufio"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tooltrail/tooltrail/internal/proc"
	"github.com/tooltrail/tooltrail/internal/term"
	"github.com/tooltrail/tooltrail/seal"
)

// maxFindings is how many findings are printed; --json has them all.
const maxFindings = 20

// incomplete are the kinds that speak of what is missing or not provable,
// rather than of somebody's hand in the lines.
var incomplete = []seal.Kind{
	seal.KindTruncated, seal.KindMissingSegment, seal.KindDeclaredMissing, seal.KindGap, seal.KindEpochRestart,
	seal.KindStale, seal.KindRedactionHalf, seal.KindTorn, seal.KindTreeDamaged, kindNoTrail,
}

// unproved are the kinds with which nothing can be said of the lines.
var unproved = []seal.Kind{seal.KindNoCheckpoint, seal.KindKeyUnknown}

// verdict is the report in one word.
func verdict(r *seal.Report) (word string, colour term.Colour) {
	all := func(kinds []seal.Kind) bool {
		return !slices.ContainsFunc(r.Findings, func(f seal.Finding) bool { return !slices.Contains(kinds, f.Kind) })
	}
	switch {
	case r.OK && r.Sealed == 0:
		return "not sealed", term.Yellow
	case r.OK:
		return "intact", term.Green
	case all(unproved):
		return "NOT PROVED", term.Red
	case all(incomplete):
		return "INCOMPLETE", term.Red
	}
	return "TAMPERED", term.Red
}

// A verdictJSON is a report as it is printed for programs.
type verdictJSON struct {
	*seal.Report
	Verdict string `json:"verdict"` // intact, not_sealed, not_proved, incomplete or tampered
}

func verdictWord(r *seal.Report) string {
	word, _ := verdict(r)
	return strings.ReplaceAll(strings.ToLower(word), " ", "_")
}

// nameOf is what a report is about.
func nameOf(r *seal.Report) string {
	if r.Trail == "" {
		return r.Origin
	}
	return filepath.Base(r.Trail)
}

// writeReport prints what a verification found.
func (a *app) writeReport(r *seal.Report) error {
	out := bufio.NewWriter(a.stdout)
	palette := a.outPalette()
	word, colour := verdict(r)
	fmt.Fprintf(out, "%s  %s\n", palette.Paint(colour, word), term.Safe(nameOf(r)))
	writeSheet(out, palette, a.reportFields(r))
	for i, finding := range r.Findings {
		if i == maxFindings {
			fmt.Fprintf(out, "and %d more (--json has all)\n", len(r.Findings)-i)
			break
		}
		fmt.Fprintf(out, "%s  %s\n", palette.Paint(term.Red, string(finding.Kind)), term.Safe(finding.Says))
		if finding.Segment != "" {
			fmt.Fprintf(out, "  %s\n", palette.Paint(term.Dim, term.Safe(fmt.Sprintf("%s, line %d, byte %d (line %d of the trail, counted from 0)",
				finding.Segment, max(finding.InFile, 1), finding.Offset, finding.Line))))
		}
	}
	if next := nextStep(r); next != "" {
		fmt.Fprintf(out, "%s\n", palette.Paint(term.Dim, "→ "+next))
	}
	return out.Flush()
}

func (a *app) reportFields(r *seal.Report) []field {
	var fields []field
	add := func(name, format string, args ...any) {
		fields = append(fields, field{name: name, value: fmt.Sprintf(format, args...)})
	}
	if r.Trail == "" {
		return nil
	}
	if r.Origin != "" {
		add("log", "%s", r.Origin)
	}
	if r.Sealed > 0 {
		add("sealed", "%s, %s%s", plural(r.Sealed, "line"), r.SealedAt.In(a.zone).Format(time.DateTime), a.sinceText(r.SealedAt))
	}
	if r.Unsealed > 0 {
		add("not yet sealed", "%s", plural(r.Unsealed, "line"))
	}
	add("events", "%d", r.Events)
	for _, reason := range slices.Sorted(maps.Keys(r.Lost)) {
		add("declared lost", "%s", lossText(r.Lost[reason], reason))
	}
	if r.Redacted > 0 {
		add("erased", "%s, each ordered by the eraser's key", plural(r.Redacted, "event"))
	}
	if r.Pruned > 0 {
		add("pruned", "lines 0 to %d, as a note says", r.Pruned-1)
	}
	for _, g := range r.Accepted {
		add("given up", "lines %d to %d, as a note says", g.First, g.Next-1)
	}
	if r.Checkpoints > 0 {
		add("checkpoints", "%d hold, %s", r.Checkpoints, plural(uint64(r.Epochs), "epoch"))
	}
	if r.Witnessed > 0 {
		add("witnessed", "%s, %s, by %s", plural(r.Witnessed, "line"), r.WitnessedAt.In(a.zone).Format(time.DateTime), joinWords(r.Witnesses))
	}
	if r.Anchors > 0 {
		add("anchors", "%d hold", r.Anchors)
	}
	return fields
}

func (a *app) sinceText(t time.Time) string {
	ago := a.now().Sub(t)
	if ago < 0 || ago >= 48*time.Hour {
		return ""
	}
	return fmt.Sprintf(" (%s ago)", ago.Truncate(time.Second))
}

// nextStep says what to do about a report.
func nextStep(r *seal.Report) string {
	has := func(k seal.Kind) bool {
		return slices.ContainsFunc(r.Findings, func(f seal.Finding) bool { return f.Kind == k })
	}
	only := func(k seal.Kind) bool { return has(k) && len(r.Findings) == 1 }
	switch {
	case r.OK:
		return ""
	case has(kindNoTrail):
		return "put the trail back from a copy; if it lies elsewhere, verify it there"
	case only(kindTwice):
		return "find out which of the two is the trail, and move the other out of the home"
	case has(seal.KindNoCheckpoint):
		return "if it was recorded without a seal, --allow-unsealed; else its seal was removed: compare with a copy"
	case has(seal.KindKeyUnknown):
		return "give the key of the machine that recorded it: --key KEY; that it is another may be the attack"
	case only(seal.KindTreeDamaged):
		return "the events hold; remove the folder tree and record something, and it is made anew"
	case only(seal.KindStale):
		return "find out whether it is still recorded: tooltrail doctor"
	case only(seal.KindDeclaredMissing):
		return "this was declared before; --allow-declared lets it pass"
	case only(seal.KindEpochRestart):
		return "if you know why state/epoch.key was lost, --allow-restart lets it pass"
	}
	return "keep it as it is and compare with a copy; to record on in it: tooltrail accept-loss --trail " +
		quotePath(filepath.Dir(r.Trail)) + " " + filepath.Base(r.Trail)
}

// exitStatusOf ends the program with a code, and says nothing.
func exitStatusOf(code int) error { return exitStatus{proc.ExitStatus{Code: code}} }

// joinWords lists words for a sentence.
func joinWords(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
