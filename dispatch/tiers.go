package dispatch

import (
	"fmt"
	"slices"
	"time"
)

// Limits are what a tier allows a call.
type Limits struct {
	Timeout   time.Duration // until the tool is given up; 0 means the tier's default
	MaxOutput int           // bytes of JSON that a result may have; 0 means the tier's default
}

// TierDefaults are the limits of the tiers unless Options say otherwise. They
// are ATD's.
var TierDefaults = map[Tier]Limits{
	TierHot:  {500 * time.Millisecond, 64 << 10},
	TierWarm: {5 * time.Second, 1 << 20},
	TierCold: {60 * time.Second, 16 << 20},
}

// tierLimits returns the limits of each tier, in the order of Tiers.
func tierLimits(over map[Tier]Limits) ([3]Limits, error) {
	var limits [3]Limits
	for i, t := range Tiers {
		limits[i] = TierDefaults[t]
		if o := over[t]; o.Timeout != 0 {
			limits[i].Timeout = o.Timeout
		}
		if o := over[t]; o.MaxOutput != 0 {
			limits[i].MaxOutput = o.MaxOutput
		}
		if limits[i].Timeout < 0 || limits[i].MaxOutput < 0 {
			return limits, fmt.Errorf("dispatch: the limits of tier %s are negative", t)
		}
	}
	for t := range over {
		if !slices.Contains(Tiers, t) {
			return limits, fmt.Errorf("dispatch: there is no tier %q", t)
		}
	}
	return limits, nil
}
