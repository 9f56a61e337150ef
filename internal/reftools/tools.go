// Package reftools are the reference tools of ATD: an echo, files, a shell and
// a fetcher of web pages.
//
//	registry, err := dispatch.NewRegistry(reftools.Tools()...)
//
// Paths are relative to the server's working directory, or absolute: what a
// caller may reach is decided by capabilities and by the user that the server
// runs as. Changing files needs the capability write, and the shell exec;
// reading needs none, as in ATD's own server.
package reftools

import (
	"encoding/json"

	"github.com/tooltrail/tooltrail/dispatch"
)

// Tools returns new reference tools. Their methods are safe for concurrent use.
func Tools() []dispatch.Tool {
	var changes changes
	return []dispatch.Tool{
		echo(), read(), write(&changes), edit(&changes), glob(), grep(), shell(), fetch(&fetcher{}),
	}
}

// define is what the definitions have in common.
func define(d dispatch.Definition, input, output string) dispatch.Definition {
	d.Version = "1.0.0"
	d.InputSchema, d.OutputSchema = json.RawMessage(input), json.RawMessage(output)
	d.Trust = dispatch.Trust{Publisher: "tooltrail", TrustLevel: "L2Tested"}
	if d.Resources.TimeoutMS == 0 {
		tier := d.Tier
		if tier == "" {
			tier = dispatch.TierWarm
		}
		d.Resources.TimeoutMS = uint64(dispatch.TierDefaults[tier].Timeout.Milliseconds())
	}
	return d
}
