package main

import "golang.org/x/sys/windows"

// closedPipeErrors are further errors of a pipe that nobody reads.
var closedPipeErrors = []error{windows.ERROR_BROKEN_PIPE, windows.ERROR_NO_DATA, windows.ERROR_PIPE_NOT_CONNECTED}
