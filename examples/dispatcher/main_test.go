package main

import (
	"testing"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/audit/audittest"
)

func TestEveryReturnPointHasOneEvent(t *testing.T) {
	for call, want := range map[[2]string]audit.OutcomeKind{
		{"echo", "hello"}: audit.KindSuccess,
		{"echo", ""}:      audit.KindInvalidArgs,
		{"fail", "x"}:     audit.KindExecutionFailed,
		{"crash", "x"}:    audit.KindExecutionFailed,
		{"delete", "x"}:   audit.KindCapabilityDenied,
		{"render", "x"}:   audit.KindRateLimited,
		{"nonsense", "x"}: audit.KindToolNotFound,
	} {
		var seen audittest.Memory
		_, err := dispatch(&seen, "agent-A", []string{"read"}, call[0], call[1])
		if ev := seen.One(t); ev.Outcome.Kind != want || (err == nil) != (want == audit.KindSuccess) {
			t.Errorf("%v: %+v, error %v", call, ev.Outcome, err)
		}
	}
}
