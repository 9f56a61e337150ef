//go:build unix && !linux

package dispatch

// awaitExit cannot be had here: on darwin, waitid returns for stopped children
// too (golang.org/issue/19314).
func awaitExit(int) bool { return false }
