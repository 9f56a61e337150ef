package audit

// A Tier is a tool's latency class.
type Tier uint8

// The tiers. The zero value is warm, ATD's default.
const (
	TierWarm Tier = iota
	TierHot
	TierCold
)

var tierNames = [...]string{TierWarm: "warm", TierHot: "hot", TierCold: "cold"}

// String returns the tier's name on the wire.
func (t Tier) String() string { return name(tierNames[:], uint8(t)) }

// DecidedBy says who ended a call.
type DecidedBy uint8

// Who can end a call. The zero value is not recorded.
const (
	ByUnknown    DecidedBy = iota
	ByPolicy               // a capability was missing
	ByLimiter              // a rate or concurrency limit
	ByDispatcher           // the dispatcher or the server's framework, before the tool ran
	ByTool                 // the tool
	ByTransport            // the way to the server: exit, timeout, unreachable
	ByClient               // the client: cancelled, or gone
)

var deciderNames = [...]string{"", "policy", "limiter", "dispatcher", "tool", "transport", "client"}

// String returns the name on the wire, or "" for ByUnknown.
func (d DecidedBy) String() string { return name(deciderNames[:], uint8(d)) }

// A Transport is the way by which calls reach us.
type Transport uint8

// The transports. The zero value is not recorded.
const (
	TransportUnknown   Transport = iota
	TransportStdio               // standard input and output
	TransportHTTP                // streamable HTTP
	TransportUDS                 // a Unix domain socket
	TransportInProcess           // a function call
)

var transportNames = [...]string{"", "stdio", "http", "uds", "inproc"}

// String returns the name on the wire, or "" for TransportUnknown.
func (t Transport) String() string { return name(transportNames[:], uint8(t)) }

// name returns names[i], or the first name where i is out of range.
func name(names []string, i uint8) string {
	if int(i) < len(names) {
		return names[i]
	}
	return names[0]
}
