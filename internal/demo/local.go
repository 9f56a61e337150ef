package demo

import (
	"time"

	"github.com/tooltrail/tooltrail/audit"
)

// local is the agent's own dispatcher, for tools that never pass MCP: it
// decides, and audits what it decided, with the library alone.
func local(sink audit.Sink) {
	start := time.Now()
	record := func(tool string, by audit.DecidedBy, o audit.Outcome) {
		sink.OnCall(&audit.CallEvent{
			Time: time.Now(), CallID: audit.NewCallID(), ToolID: tool, CallerID: "demo-agent",
			GrantedCapabilities: []string{"search"}, Duration: time.Since(start), Outcome: o, DecidedBy: by,
			Transport: audit.TransportInProcess, Server: "agent",
		})
	}
	record("run_shell", audit.ByPolicy, audit.CapabilityDenied([]string{"shell"}))
	record("web_search", audit.ByLimiter, audit.RateLimited(1500*time.Millisecond))
}
