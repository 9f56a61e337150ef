//go:build unix

package main

const stateVariable = "XDG_STATE_HOME"

var stateUnderHome = []string{".local", "state"}

const configVariable = "XDG_CONFIG_HOME"

var configUnderHome = []string{".config"}
