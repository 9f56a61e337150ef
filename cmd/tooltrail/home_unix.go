//go:build unix

package main

const stateVariable = "XDG_STATE_HOME"

var stateUnderHome = []string{".local", "state"}
