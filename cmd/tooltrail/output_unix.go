//go:build unix

package main

// closedPipeErrors are further errors of a pipe that nobody reads.
var closedPipeErrors []error
