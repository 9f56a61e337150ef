package trail

// Names inside a trail's directory; see docs/formats/trail.md.
const (
	stateDir     = "state"
	lockName     = "lock"
	countersName = "counters"
	formatName   = "format"
	tailPrefix   = "tail-"    // quarantined torn tails
	foreignName  = "foreign-" // quarantined files that took a segment's place
	rescueName   = "rescue"   // a segment being rewritten after a failure
)

// Format is the version of the layout that this package reads and writes.
const Format = 1
