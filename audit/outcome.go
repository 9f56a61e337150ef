package audit

import "time"

// An OutcomeKind is one of the six ways in which a call ends. The set is
// closed: more detail goes into the code or into optional fields.
type OutcomeKind uint8

// The outcome kinds. The zero kind is no outcome: an event that carries it is
// written as execution_failed with [CodeInternal], so that forgetting to set
// an outcome never reads as success.
const (
	KindSuccess OutcomeKind = iota + 1
	KindExecutionFailed
	KindInvalidArgs
	KindCapabilityDenied
	KindRateLimited
	KindToolNotFound
)

var kindNames = [...]string{
	KindSuccess:          "success",
	KindExecutionFailed:  "execution_failed",
	KindInvalidArgs:      "invalid_args",
	KindCapabilityDenied: "capability_denied",
	KindRateLimited:      "rate_limited",
	KindToolNotFound:     "tool_not_found",
}

// String returns the kind's name on the wire, or "unset".
func (k OutcomeKind) String() string {
	if k == 0 || int(k) >= len(kindNames) {
		return "unset"
	}
	return kindNames[k]
}

// An Outcome says how a call ended. Make one with [Success],
// [ExecutionFailed], [InvalidArgs], [CapabilityDenied], [RateLimited] or
// [ToolNotFound].
type Outcome struct {
	Kind OutcomeKind
	// Retryable: the same call may succeed later (execution_failed).
	Retryable bool
	// Code is a machine-readable reason (execution_failed).
	Code string
	// Message says what was wrong with the arguments (invalid_args).
	Message string
	// Missing are the capabilities that the caller lacked, sorted
	// (capability_denied).
	Missing []string
	// RetryAfter is when to try again (rate_limited), rounded up to whole
	// milliseconds; 0 is unknown and written as null.
	RetryAfter time.Duration
}

// Codes of execution_failed that this project sets. A tool's own code is kept
// as it is.
const (
	CodeToolError         = "TOOL_ERROR"         // the tool itself reported an error (MCP isError)
	CodeTimeout           = "TIMEOUT"            // no answer within the time limit
	CodeCancelled         = "CANCELLED"          // the client took the call back
	CodeServerExited      = "SERVER_EXITED"      // the server ended with the call in flight
	CodeServerUnreachable = "SERVER_UNREACHABLE" // the server could not be reached
	CodeClientGone        = "CLIENT_GONE"        // the client ended with the call in flight
	CodePanic             = "PANIC"              // the tool panicked
	CodeInternal          = "INTERNAL"           // an error that is nobody else's
	CodeAbandoned         = "ABANDONED"          // found open after a crash
	CodeRPCPrefix         = "RPC_"               // a JSON-RPC error: RPC_-32603
	CodeHTTPPrefix        = "HTTP_"              // an HTTP error: HTTP_502
)

// Success is the outcome of a call that the tool answered.
func Success() Outcome { return Outcome{Kind: KindSuccess} }

// ExecutionFailed is the outcome of a call that began and did not succeed.
func ExecutionFailed(code string, retryable bool) Outcome {
	return Outcome{Kind: KindExecutionFailed, Code: code, Retryable: retryable}
}

// InvalidArgs is the outcome of a call whose arguments were refused. The
// message may hold text of the tool's; pass only what the log may hold.
func InvalidArgs(message string) Outcome {
	return Outcome{Kind: KindInvalidArgs, Message: message}
}

// CapabilityDenied is the outcome of a call that the caller may not make.
func CapabilityDenied(missing []string) Outcome {
	return Outcome{Kind: KindCapabilityDenied, Missing: missing}
}

// RateLimited is the outcome of a call that came too soon. A retryAfter of 0
// or less means that the time is not known.
func RateLimited(retryAfter time.Duration) Outcome {
	return Outcome{Kind: KindRateLimited, RetryAfter: max(retryAfter, 0)}
}

// ToolNotFound is the outcome of a call to a tool that does not exist.
func ToolNotFound() Outcome { return Outcome{Kind: KindToolNotFound} }
