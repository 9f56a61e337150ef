// Package mytools is three tools of your own.
package mytools

import (
	"context"
	"encoding/json"
	"time"

	"github.com/tooltrail/tooltrail/dispatch"
)

var greetArgs = json.RawMessage(`{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}`)

// Registry holds the tools; forget needs a capability.
func Registry() (*dispatch.Registry, error) {
	return dispatch.NewRegistry(
		dispatch.Func(dispatch.Definition{ID: "my:greet", InputSchema: greetArgs}, greet),
		dispatch.Func(dispatch.Definition{ID: "my:nap", Tier: dispatch.TierHot}, nap),
		dispatch.Func(dispatch.Definition{ID: "my:forget", RequiredCapabilities: []string{"forget"}}, forget))
}

func greet(_ context.Context, _ *dispatch.Call, args struct {
	Name string `json:"name"`
}) (any, error) {
	return "Hello, " + args.Name, nil
}

func nap(context.Context, *dispatch.Call, any) (any, error) { time.Sleep(time.Hour); return nil, nil }

func forget(context.Context, *dispatch.Call, any) (any, error) {
	return nil, dispatch.Fail("NOTHING_THERE", false, "there is nothing to forget")
}
