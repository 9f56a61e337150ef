package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tooltrail/tooltrail/internal/proc"
	"github.com/tooltrail/tooltrail/internal/term"
)

// Exit codes.
const (
	codeFailed = 1
	codeUsage  = 2
)

// A usageError says that the command was called wrongly. It ends the program
// with exit code 2.
type usageError struct {
	Err  error
	Hint string // what to do next; "" points at --help
}

// usagef makes a usageError without a hint of its own.
func usagef(format string, args ...any) error {
	return &usageError{Err: fmt.Errorf(format, args...)}
}

func (e *usageError) Error() string { return e.Err.Error() }
func (e *usageError) Unwrap() error { return e.Err }

// A hintError is a failure with a line on what the user can do next.
type hintError struct {
	Err  error
	Hint string
}

func (e *hintError) Error() string { return e.Err.Error() }
func (e *hintError) Unwrap() error { return e.Err }

// An exitStatus ends the program with the status of a command that it ran, and
// says nothing.
type exitStatus struct{ proc.ExitStatus }

func (e exitStatus) Error() string { return e.String() }

// errSilent ends the program with exit code 1: what there is to say was said.
var errSilent = errors.New("the reason was reported")

// report says on w why a command ended, and returns the status to end with.
// command is the path of the command, such as "tooltrail tail".
func report(w io.Writer, palette term.Palette, command string, err error) proc.ExitStatus {
	var status exitStatus
	var usage *usageError
	var hint *hintError
	switch {
	case err == nil, errors.Is(err, errReaderGone):
		return proc.ExitStatus{}
	case errors.As(err, &status):
		return status.ExitStatus
	case errors.Is(err, errSilent):
		return proc.ExitStatus{Code: codeFailed}
	case errors.As(err, &usage):
		next := usage.Hint
		if next == "" {
			next = fmt.Sprintf("see '%s --help'", command)
		}
		complain(w, palette, err, next)
		return proc.ExitStatus{Code: codeUsage}
	case errors.As(err, &hint):
		complain(w, palette, err, hint.Hint)
	default:
		complain(w, palette, err, "")
	}
	return proc.ExitStatus{Code: codeFailed}
}

// complain writes an error in one line, and what to do next in another.
func complain(w io.Writer, palette term.Palette, err error, next string) {
	var parts []string
	for line := range strings.Lines(err.Error()) {
		parts = append(parts, strings.TrimSpace(line))
	}
	fmt.Fprintf(w, "%s %s\n", palette.Paint(term.Red, "tooltrail:"), term.Safe(strings.Join(parts, " ")))
	if next != "" {
		fmt.Fprintf(w, "%s %s\n", palette.Paint(term.Dim, "      try:"), term.Safe(next))
	}
}
