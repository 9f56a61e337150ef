package main

import (
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/internal/term"
	"github.com/tooltrail/tooltrail/query"
	"github.com/tooltrail/tooltrail/trail"
)

// recentCalls is how many calls of each trail a completion draws from.
const recentCalls = 2000

// completeFilter completes filter words: keys, the names of outcomes, and
// values that were recorded lately.
func (a *app) completeFilter(cmd *cobra.Command, _ []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	typed := unshield(word)
	minus := ""
	if strings.HasPrefix(typed, "-") {
		minus, typed = "-", typed[1:]
	}
	key, value, ok := strings.Cut(typed, ":")
	var found []cobra.Completion
	if !ok {
		for _, w := range query.Words() {
			if strings.HasPrefix(w, typed) {
				found = append(found, minus+w)
			}
		}
		return found, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	}
	for _, v := range a.valuesOf(cmd, key) {
		if strings.HasPrefix(v, value) {
			found = append(found, minus+key+":"+v)
		}
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}

// valuesOf returns the values that a filter word may have.
func (a *app) valuesOf(cmd *cobra.Command, key string) []string {
	var pick func(*audit.CallEvent) string
	switch key {
	case "outcome":
		return outcomeNames()
	case "since", "until":
		return []string{"10m", "1h", "1d", "7d"}
	case "tool":
		pick = func(ev *audit.CallEvent) string { return ev.ToolID }
	case "caller":
		pick = func(ev *audit.CallEvent) string { return ev.CallerID }
	case "server":
		pick = func(ev *audit.CallEvent) string { return ev.Server }
	case "code":
		pick = func(ev *audit.CallEvent) string { return ev.Outcome.Code }
	default:
		return nil
	}
	var values []string
	for _, ev := range a.recent(cmd) {
		if v := pick(ev); isWord(v) {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	return slices.Compact(values)
}

// isWord reports whether a value can be offered to a shell as it is: what needs
// quotes or escapes, or was made to fool, is not.
func isWord(v string) bool {
	return v != "" && !strings.ContainsAny(v, " \t\"'`\\$,*?:;&|<>()[]{}!#~") && term.Safe(v) == v
}

func outcomeNames() []string {
	names := []string{"error"}
	for k := audit.KindSuccess; k <= audit.KindToolNotFound; k++ {
		names = append(names, k.String())
	}
	return names
}

// completeCallID offers the ids of the last calls, the latest first.
func (a *app) completeCallID(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	const offered = 30
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	events := a.recent(cmd)
	slices.SortStableFunc(events, func(x, y *audit.CallEvent) int { return y.Time.Compare(x.Time) })
	var found []cobra.Completion
	for _, ev := range events {
		if len(found) < offered && isWord(ev.CallID) && strings.HasPrefix(ev.CallID, strings.ToUpper(word)) {
			what := ev.Time.In(a.zone).Format("15:04:05 ") + term.Safe(ev.ToolID)
			found = append(found, cobra.CompletionWithDesc(ev.CallID, what))
		}
	}
	return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// completeTrail offers the names of the trails in a home.
func (a *app) completeTrail(cmd *cobra.Command, args []string, word string) (found []cobra.Completion, _ cobra.ShellCompDirective) {
	flag, _ := cmd.Flags().GetString("trail")
	path, err := a.home(flag)
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	dirs, _ := trail.Find(path)
	for _, dir := range dirs {
		if name := filepath.Base(dir); isWord(name) && strings.HasPrefix(name, word) {
			found = append(found, name)
		}
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}

// recent returns the last calls of every trail. It says nothing of errors: a
// completion must not disturb the line that is being typed.
func (a *app) recent(cmd *cobra.Command) []*audit.CallEvent {
	flag, _ := cmd.Flags().GetString("trail")
	path, err := a.home(flag)
	if err != nil {
		return nil
	}
	dirs, _ := trail.Find(path)
	isEvent := func(l trail.Line) bool { return kindOf(l.Bytes) == trail.Event }
	var events []*audit.CallEvent
	for _, dir := range dirs {
		segs, _ := trail.Segments(dir)
		if len(segs) == 0 {
			continue
		}
		lines, _, _ := lastOfSegment(segs[len(segs)-1], recentCalls, isEvent, &grumbler{w: io.Discard})
		for _, l := range lines {
			if ev, err := audit.Decode(l.Bytes); err == nil {
				events = append(events, ev)
			}
		}
	}
	return events
}
