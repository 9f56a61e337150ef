package dispatch

import "fmt"

// A Failure is how a tool says that it failed: the call began, and did not
// succeed. It is answered with a tool result whose success is false.
type Failure struct {
	Code      string // such as NOT_FOUND
	Message   string
	Retryable bool // the same call may succeed later
}

// Error returns the code and the message.
func (f *Failure) Error() string { return f.Code + ": " + f.Message }

// Fail returns a *Failure.
func Fail(code string, retryable bool, format string, args ...any) error {
	return &Failure{Code: code, Retryable: retryable, Message: fmt.Sprintf(format, args...)}
}

// An ArgsError is how a tool refuses its arguments.
type ArgsError struct{ Message string }

// Error returns the message.
func (e *ArgsError) Error() string { return e.Message }

// InvalidArgs returns an *ArgsError. The message goes to the caller and into
// the trail: name what is wrong, and leave the values out.
func InvalidArgs(format string, args ...any) error {
	return &ArgsError{fmt.Sprintf(format, args...)}
}

// An InternalError says that something failed that is not the tool's business.
type InternalError struct{ Message string }

// Error returns the message.
func (e *InternalError) Error() string { return e.Message }

// Internal returns an *InternalError.
func Internal(format string, args ...any) error {
	return &InternalError{fmt.Sprintf(format, args...)}
}

// Codes with which dispatch itself ends calls, besides those of package audit.
const (
	FailOutputTooLarge = "OUTPUT_TOO_LARGE" // the result is larger than its tier or the transport allows
	FailCursorInvalid  = "CURSOR_INVALID"   // a continuation's cursor does not hold
	FailCursorExpired  = "CURSOR_EXPIRED"   // a continuation's cursor is too old, or another session's
	FailBroker         = "broker_error"     // the token broker failed; ATD's name
	FailUnhandled      = "UNHANDLED"        // an error of no known kind
	FailUnrecorded     = "UNRECORDED"       // the intent could not be made durable, so the tool did not run
)
