//go:build race

package atd

const raceEnabled = true
