package audit

import "time"

// SchemaVersion is the schema_version that this package writes. Versions 1 to
// 3 are those of ATD (Agent Tool Dispatch); 4 adds optional fields only, so a
// reader of 1–3 that ignores unknown fields reads ours, and [Decode] reads
// theirs.
const SchemaVersion = 4

// A CallEvent is one finished tool call. Its wire form, one line of JSON, is
// specified in docs/formats/event.md.
//
// The zero value of an optional field means "none", and the field is left out
// of the line. Strings and slices are shared when an event is copied, so treat
// a slice as read-only once the event has been handed to a [Sink].
type CallEvent struct {
	// Time is the wall-clock time at which the call ended. It is written in
	// UTC. The zero Time is replaced by the time of encoding.
	Time time.Time
	// CallID identifies the call, over retries of delivery too: a ULID from
	// [NewCallID].
	CallID string
	// ToolID is the tool as the caller asked for it, known or not.
	ToolID string
	// CallerID is what the caller says of itself. It is not authenticated;
	// see Principal.
	CallerID string
	// GrantedCapabilities are the capabilities the caller held, sorted.
	GrantedCapabilities []string
	// Duration is how long the tool took, by the monotonic clock. It is kept
	// in whole microseconds.
	Duration time.Duration
	// Outcome says how the call ended.
	Outcome Outcome
	// Tier is the tool's latency class. The zero value is [TierWarm].
	Tier Tier
	// DryRun marks a call that was answered without running the tool.
	DryRun bool
	// SchemaVersion is the version the event was read with. Encoding ignores
	// it and writes the constant [SchemaVersion].
	SchemaVersion int
	// SecretsResolved says that a broker gave the tool secrets. Neither their
	// names nor their values are recorded.
	SecretsResolved bool
	// CursorPage is the page that a continuation asked for, from 2; 0 is none.
	CursorPage uint32
	// CapabilityProvenance says where each granted capability came from.
	CapabilityProvenance []Provenance

	// Seq is the event's position in its stream, from 1. Lost events take
	// numbers too, so a jump is a proven loss. A [Queue] sets it.
	Seq uint64
	// Lost declares the events lost just before this one. A [Queue] sets it.
	Lost *Lost
	// Overhead is what the observer added to the call, in whole microseconds.
	Overhead time.Duration
	// DecidedBy says who ended the call.
	DecidedBy DecidedBy
	// Principal is the authenticated subject: a token's, or the OS user's.
	Principal string
	// SessionID is the session in which the call was made.
	SessionID string
	// RequestID is the JSON-RPC id as JSON text, which keeps its type: 1 and
	// "1" differ. See [StringID].
	RequestID string
	// TraceID and SpanID are the W3C trace context, in lower-case hex.
	TraceID, SpanID string
	// ParentCallID is the call that made this one.
	ParentCallID string
	// Server is the backend's name, from our configuration, never the wire.
	Server string
	// Transport is how the call reached us.
	Transport Transport
	// Client is the client's own "name/version".
	Client string
	// ArgsBytes and ResultBytes are sizes on the wire, in bytes.
	ArgsBytes, ResultBytes int64
	// ArgsMAC and ResultMAC are keyed digests (HMAC-SHA256, lower-case hex):
	// evidence without content.
	ArgsMAC, ResultMAC string
	// Args and Result are JSON text, present only where a policy asks for
	// capture, and redacted already. Text that is not JSON, perhaps because it
	// was cut, is written as a JSON string, and read back as one.
	Args, Result string
	// Truncated lists the fields that were cut to fit the limits.
	Truncated []Truncation
	// Flags are remarks such as "ambiguous_keys"; see the Flag constants.
	Flags []string
}

// Flags that this project sets.
const (
	// FlagAmbiguousKeys: the message could be read in two ways by two parsers
	// (a duplicate key, or keys that differ in case only).
	FlagAmbiguousKeys = "ambiguous_keys"
	// FlagInvalidUTF8: a string of the event was not UTF-8; each wrong byte
	// was written as U+FFFD.
	FlagInvalidUTF8 = "invalid_utf8"
)

// Lost declares events that were counted but could not be kept.
type Lost struct {
	// Count is how many events were lost.
	Count uint64
	// First and Last are the times of the first and the last of them.
	First, Last time.Time
	// Reason says why.
	Reason LossReason
}

// A LossReason says why events were lost.
type LossReason string

// Reasons for a loss.
const (
	// LossQueueFull: the queue was full and its policy dropped the event.
	LossQueueFull LossReason = "queue_full"
	// LossFallback: the queue was full and the event went to the fallback
	// sink instead.
	LossFallback LossReason = "fallback"
	// LossWriteFailed: the writer refused the encoded line for good.
	LossWriteFailed LossReason = "write_failed"
	// LossClosed: the event came after Close, or was still queued when
	// Close's deadline passed.
	LossClosed LossReason = "closed"
	// LossKilled: the process ended before the event was written.
	LossKilled LossReason = "killed"
	// LossMixed: the count covers more than one reason.
	LossMixed LossReason = "mixed"
)

// A Provenance says where one granted capability came from.
type Provenance struct {
	Cap    string
	Source ProvenanceSource
}

// A ProvenanceSource is the origin of a capability. Kind is
// "string_allow_list", or "ucan_chain" with IssuerDID and ChainDepth.
type ProvenanceSource struct {
	Kind       string
	IssuerDID  string
	ChainDepth uint8
}

// A Truncation records what a cut field was before the cut.
type Truncation struct {
	// Field is the field's name on the wire, such as "tool_id".
	Field string
	// Bytes is the original size: bytes of a string, elements of a list.
	Bytes int64
	// SHA256 is the digest of the whole original string in lower-case hex;
	// empty for a list.
	SHA256 string
}
