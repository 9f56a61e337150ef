package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/trail"
)

// checkTrail looks at one trail: its writer, its seal, its files, and whether
// its numbers add up. keys are those of the home.
func (a *app) checkTrail(c *checkup, dir string, keys []*seal.Key) {
	name := filepath.Base(dir)
	if n := formatOf(dir); n > trail.Format {
		c.add(name, wrong, "upgrade tooltrail", "format %d is newer than this version reads in full (%d)", n, trail.Format)
	}
	account, err := trail.Check(dir)
	if err != nil {
		c.add(name, wrong, "read it as the user who recorded it", "%v", err)
		return
	}
	end, err := readEnd(dir)
	if err != nil {
		c.add(name, wrong, "read it as the user who recorded it", "%v", err)
		return
	}
	c.add(name, fine, "", "%s%s; %s", plural(account.Events, "event"), a.agoText(end.lastEvent), end.writerText())
	a.checkSeal(c, name, dir, end, keys)
	checkEnd(c, name, end)
	checkModes(c, name, dir)
	checkLosses(c, name, &account)
	checkNumbers(c, name, &account)
	checkPlaces(c, name, &account)
}

// A trailEnd is what the end of a trail tells of its writer.
type trailEnd struct {
	pid       int  // of the last writer; 0 if it is not known
	running   bool // the writer still is
	stopped   bool // the last line says that the writer closed the trail
	torn      int64
	lines     uint64 // the index behind the last line
	lastEvent time.Time
}

func readEnd(dir string) (trailEnd, error) {
	e := trailEnd{pid: lockPID(dir)}
	silent := &grumbler{w: io.Discard}
	last, _, err := lastOfTrail(dir, 1, func(trail.Line) bool { return true }, silent)
	if err != nil {
		return e, err
	}
	if len(last) > 0 {
		l := last[0]
		e.stopped = l.Note() == "stop"
		e.lines = l.Index + 1
		if info, err := os.Stat(l.Segment); err == nil {
			e.torn = info.Size() - l.Offset - int64(len(l.Bytes)) - 1
		}
	}
	events, _, err := lastOfTrail(dir, 1, func(l trail.Line) bool { return kindOf(l.Bytes) == trail.Event }, silent)
	if err != nil {
		return e, err
	}
	if len(events) > 0 {
		e.lastEvent, _ = timeOf(events[0])
	}
	e.running = e.pid > 0 && !e.stopped && holds(e.pid, lockFile(dir))
	return e, nil
}

func lockFile(dir string) string { return filepath.Join(dir, "state", "lock") }

// lockPID returns the process that last took the trail's lock, 0 if unknown.
func lockPID(dir string) int {
	b, err := os.ReadFile(lockFile(dir))
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return max(pid, 0)
}

func (e trailEnd) writerText() string {
	switch {
	case e.running:
		return fmt.Sprintf("process %d is writing", e.pid)
	case e.stopped:
		return "closed by its writer"
	}
	return "nobody is writing"
}

// checkEnd tells of a writer that ended without closing the trail.
func checkEnd(c *checkup, name string, e trailEnd) {
	if e.running || e.stopped || e.pid == 0 {
		return
	}
	torn := ""
	if e.torn > 0 {
		torn = fmt.Sprintf(" and left %s of a torn line", plural(uint64(e.torn), "byte"))
	}
	c.add(name, hint, "nothing: the next writer repairs the trail and declares what was lost",
		"the last writer, process %d, ended without closing the trail%s", e.pid, torn)
}

func checkModes(c *checkup, name, dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // trail.Check has read it
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err == nil && info.Mode().IsRegular() && openToOthers(info) {
			c.add(name, wrong, "chmod -R go= "+dir, "others may read %s (mode %04o)", entry.Name(), info.Mode().Perm())
			return
		}
	}
}

// lossAdvice says what can be done about a reason for losses.
var lossAdvice = map[string]string{
	"queue_full":   "a faster disk, or a larger queue: more came than could be written",
	"write_failed": "look at the disk: it refused lines for good",
	"killed":       "let the process end by itself, or by TERM: it was killed with events in memory",
	"closed":       "give the process more time to end",
	"removed":      "find out who changed the files",
}

func checkLosses(c *checkup, name string, account *trail.Account) {
	for _, reason := range slices.Sorted(maps.Keys(account.Lost)) {
		c.add(name, hint, lossAdvice[reason], "%s", lossText(account.Lost[reason], reason))
	}
}

// checkNumbers tells of events that are missing without a declaration.
func checkNumbers(c *checkup, name string, account *trail.Account) {
	for i, gap := range account.Undeclared {
		if i == maxGrumbles {
			c.add(name, wrong, "", "and %d more gaps", len(account.Undeclared)-i)
			break
		}
		c.add(name, wrong, "compare with a copy: lines were removed or changed",
			"events %d to %d are missing, and nothing says why", gap.First, gap.Last)
	}
	if account.Duplicates > 0 {
		c.add(name, wrong, "compare with a copy: lines were added or changed", "%s twice", pluralVerb(account.Duplicates, "number stands", "numbers stand"))
	}
	if len(account.Undeclared) == 0 && account.Duplicates == 0 && !account.Balanced() {
		c.add(name, hint, "", "some events have no number, so that a loss among them would not show")
	}
}

// checkPlaces tells of what could not be read.
func checkPlaces(c *checkup, name string, account *trail.Account) {
	for i, e := range account.Corrupt {
		if i == maxGrumbles {
			c.add(name, wrong, "", "and %d more places", len(account.Corrupt)-i)
			break
		}
		c.add(name, wrong, "compare with a copy; the rest of the trail is read",
			"%s: line %d at offset %d: %v", filepath.Base(e.Segment), e.Line, e.Offset, e.Err)
	}
	if account.Unknown > 0 {
		c.add(name, wrong, "find out who else writes into the trail; tooltrail tail names the lines that cannot be read",
			"%s begin as an event or a note of ours", pluralVerb(account.Unknown, "line does not", "lines do not"))
	}
}

// agoText says how long ago t was.
func (a *app) agoText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	ago := a.now().Sub(t)
	switch {
	case ago < 0:
		return ", the last one in the future"
	case ago < time.Second:
		return ", the last one now"
	case ago < 48*time.Hour:
		return fmt.Sprintf(", the last one %s ago", ago.Truncate(time.Second))
	}
	return fmt.Sprintf(", the last one %d days ago", int(ago.Hours()/24))
}

func plural(n uint64, what string) string { return pluralVerb(n, what, what+"s") }

func pluralVerb(n uint64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatUint(n, 10) + " " + many
}
