// Package proc runs a command whose standard input and output we carry, as if
// we were not there: it gets our environment, our standard error, our signals,
// and we can end as it ended. When it is over, nothing of it is left.
//
//	child, err := proc.Start(&proc.Options{Args: []string{"npx", "-y", "some-server"}, Dedicated: true})
//	go func() {
//		carry(child.Stdin(), os.Stdin)
//		os.Stdin.Close() // if the command stopped reading, the client learns of it
//		child.Hangup()
//	}()
//	carry(os.Stdout, child.Stdout())
//	child.Stdout().Close() // if the client stopped reading, the command learns of it
//	os.Stdout.Close()      // if the command closed its output, the client learns of it
//	child.Wait().Exit()
//
// # How a command ends
//
// A command is not one process: npx starts npm, which starts sh, which starts
// node, and each of them can be stubborn, orphaned, or in a session of its own.
// So the command is treated as a tree, and ends by a ladder, which waits for
// [Options.Grace] and half of it between its steps:
//
//  1. the end of its standard input ([Child.Hangup], [Child.End]), or the
//     INT, TERM, HUP or QUIT that we were sent, or its first process exits;
//  2. SIGTERM to every process of it, and the end of its standard input;
//  3. SIGKILL to every process of it, again and again until a look at the
//     process table finds none.
//
// A step is cut short as soon as nothing is left, so a command that behaves
// ends in its own time. A process that the command left behind on purpose (a
// daemon) is ended as well.
//
// The tree is the process group that the command is given, and every
// descendant. On Linux a dedicated process ([Options.Dedicated]) adopts orphans,
// so that a double fork and a session of one's own are no way out. On darwin a
// process that left the group is found only if a process that links it to the
// command was alive at the first step. On Windows the tree is a job object.
//
// If we are killed outright, the command's input ends, and a guardian
// ([Main]) walks the ladder in our place.
//
// # Signals
//
// A dedicated process passes INT, TERM, HUP, QUIT, USR1, USR2, WINCH, TSTP and
// CONT on to the command's group. TSTP stops us too, after the command; CONT
// wakes both. A signal that we were started to ignore (nohup) stays ignored.
// SIGPIPE does not end a dedicated process: writing to a client that is gone is
// an error (EPIPE), and there is still a command to end.
//
// # Terminals
//
// The command has a process group of its own, so that all of it can be
// signalled without signalling our client, which usually shares ours. We never
// make that group the terminal's foreground group: that would take the
// terminal away from the client. The command's standard error may still be the
// terminal, so it is started with SIGTTOU and SIGTTIN ignored: it is never
// stopped for writing to the terminal or for setting its modes, and reading
// from it is an error (EIO) instead of a stop. What the terminal sends to our
// group (Ctrl-C, Ctrl-Z, a new size) is passed on.
//
// # Descriptors
//
// Stdin and Stdout are blocking pipes, and so must be the descriptors that
// they are joined to: a copy from a pollable descriptor to a blocking one
// stalls for 10 ms where a message is larger than the pipe. Nothing here
// sets O_NONBLOCK on a descriptor that we inherited, which we share with
// whoever started us. Because they block, closing one does not interrupt a
// Read or a Write that is under way; the ladder does.
package proc
