package proc

import (
	"os"
	"sync/atomic"
)

// guardianName is a guardian's os.Args[0].
const guardianName = "tooltrail-guardian"

// hooked is set by Main: this program can be its own guardian.
var hooked atomic.Bool

// Main must be the first call of a program's main function, if its dedicated
// children are to have a guardian: the same program, started once more with
// another name, which Main turns into one. It then does not return.
//
// A guardian waits on a pipe that only we hold open. When we are gone without
// a word (SIGKILL, out of memory, a crash), it ends the command by the ladder.
// It is in a session of its own, has none of our standard streams, and needs
// about 2 MB, two thirds of it shared with us. It can be killed itself, and it
// misses a process that has left the command's process group and whose parents
// are dead, or die as soon as we do, so that nothing links it to the command.
// Windows needs none: the job object does it.
func Main() {
	hooked.Store(true)
	if len(os.Args) > 0 && os.Args[0] == guardianName {
		guard(os.Args[1:])
		os.Exit(0)
	}
}
