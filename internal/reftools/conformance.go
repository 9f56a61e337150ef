package reftools

import (
	"context"
	"encoding/json"

	"github.com/tooltrail/tooltrail/dispatch"
)

// ConformanceSaturated is the conformance tool whose one permit the server
// takes at its start, with [dispatch.Registry.Saturate].
const ConformanceSaturated = "ref:conformance.saturate_op"

// ConformanceDenied is the capability that no server grants.
const ConformanceDenied = "conformance.denied"

// ConformanceTools returns the tools by which ATD's conformance suite sees a
// denied call, a limited one and a hidden tool.
func ConformanceTools() []dispatch.Tool {
	return []dispatch.Tool{
		conformance(dispatch.Definition{
			ID: "ref:conformance.denied_op", Name: "Denied", Description: "Needs a capability that is never granted.",
			RequiredCapabilities: []string{ConformanceDenied},
		}),
		conformance(dispatch.Definition{
			ID: ConformanceSaturated, Name: "Saturated", Description: "Is always at its limit.",
			Resources: dispatch.Resources{MaxConcurrent: 1}, Tier: dispatch.TierHot,
		}),
		conformance(dispatch.Definition{
			ID: "ref:conformance.hidden_op", Name: "Hidden", Description: "Is in no list.",
			Visibility: dispatch.VisibilityHidden, Tier: dispatch.TierHot,
		}),
	}
}

func conformance(d dispatch.Definition) dispatch.Tool {
	d.Capability = dispatch.Capability{Domain: "conformance", Actions: []string{"test"}, Tags: []string{"test"}}
	d = define(d, `{"type":"object"}`, `{"type":"object","properties":{"ok":{"const":true}},"required":["ok"]}`)
	return dispatch.Func(d, func(context.Context, *dispatch.Call, struct{}) (any, error) {
		return json.RawMessage(`{"ok":true}`), nil
	})
}
