package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"
)

// DefaultGrace is how long the first step of the ladder waits. The second step
// waits half as long, so that the whole ladder is over before the 2 s have
// passed after which common MCP clients lose patience with a server.
const DefaultGrace = 1100 * time.Millisecond

// Options say what to run.
type Options struct {
	// Args are the command and its arguments. The command is looked up in
	// PATH, and on Windows with the extensions of PATHEXT, so that npx finds
	// npx.cmd.
	Args []string
	// Env is the environment, as os.Environ gives it. nil means our own.
	Env []string
	// Dir is the working directory. "" means our own.
	Dir string
	// Stderr is the standard error, inherited as it is. nil means our own.
	Stderr *os.File
	// Grace is how long the first step of the ladder waits; the second waits
	// half as long. 0 means DefaultGrace.
	Grace time.Duration
	// Dedicated says that this process exists for the command alone: its
	// signals are the command's (see the package comment), and it may have a
	// guardian ([Main]). On Linux it adopts the command's orphans, reaps them,
	// and at the end kills every descendant of this process. A process has one
	// dedicated child in its life, and no other children.
	Dedicated bool
}

// A Child is a running command. Its methods are safe for concurrent use.
type Child struct {
	cmd    *exec.Cmd
	stdin  *os.File
	stdout *os.File
	grace  time.Duration
	tree   *tree

	asked  chan struct{} // closed when somebody wants the end
	askOne sync.Once
	hurry  chan struct{} // closed when there is no more grace
	rush   sync.Once
	exited chan struct{} // closed when the first process was reaped
	done   chan struct{} // closed when nothing is left; guards status
	status ExitStatus
	guard  *guardian
}

// ErrDedicated says that this process has had its one dedicated child.
var ErrDedicated = errors.New("proc: this process has a dedicated child already")

// Start runs a command. An error means that nothing was started; it wraps
// [exec.ErrNotFound] where there is no such command, and [os.ErrPermission]
// where it may not be run.
func Start(o *Options) (*Child, error) {
	if len(o.Args) == 0 || o.Args[0] == "" {
		return nil, errors.New("proc: no command to run")
	}
	c := &Child{
		cmd:    command(o),
		grace:  o.Grace,
		asked:  make(chan struct{}),
		hurry:  make(chan struct{}),
		exited: make(chan struct{}),
		done:   make(chan struct{}),
	}
	if c.grace <= 0 {
		c.grace = DefaultGrace
	}
	var signals <-chan os.Signal
	release := func() {}
	if o.Dedicated {
		signals, release = catch()
	}
	if err := c.start(o); err != nil {
		release()
		return nil, fmt.Errorf("proc: start %s: %w", o.Args[0], err)
	}
	go c.reap()
	go c.forwardAll(signals)
	go c.supervise()
	return c, nil
}

// command prepares the command, its standard streams apart.
func command(o *Options) *exec.Cmd {
	cmd := exec.Command(o.Args[0], o.Args[1:]...)
	cmd.Env, cmd.Dir, cmd.Stderr = o.Env, o.Dir, o.Stderr
	if o.Stderr == nil {
		cmd.Stderr = os.Stderr
	}
	return cmd
}

// start makes the pipes and starts the first process.
func (c *Child) start(o *Options) error {
	if c.cmd.Err != nil {
		return c.cmd.Err
	}
	if o.Dedicated {
		if err := adopt(); err != nil {
			return err
		}
	}
	theirIn, ourIn, err := pipe()
	if err != nil {
		return err
	}
	ourOut, theirOut, err := pipe()
	if err != nil {
		return errors.Join(err, theirIn.Close(), ourIn.Close())
	}
	c.cmd.Stdin, c.cmd.Stdout = theirIn, theirOut
	c.stdin, c.stdout = ourIn, ourOut
	c.tree, err = spawn(c.cmd, o.Dedicated)
	theirIn.Close()
	theirOut.Close()
	if err != nil {
		ourIn.Close()
		ourOut.Close()
		return err
	}
	if o.Dedicated {
		c.guard = startGuardian(c.tree, c.grace)
	}
	return nil
}

// Stdin is the write end of the command's standard input. It is closed by
// Hangup and by the ladder.
func (c *Child) Stdin() *os.File { return c.stdin }

// Stdout is the read end of the command's standard output. It ends when no
// process of the command holds the other end, which is no later than [Child.Wait]
// returns, unless a process got away (see the package comment). The caller
// reads it to its end, and may close it then.
func (c *Child) Stdout() *os.File { return c.stdout }

// Pid is the process id of the command's first process.
func (c *Child) Pid() int { return c.cmd.Process.Pid }

// Exited is closed when the command's first process has ended. Others of its
// processes may still run, and may still write to Stdout, for the length of the
// ladder.
func (c *Child) Exited() <-chan struct{} { return c.exited }

// Done is closed when nothing of the command is left.
func (c *Child) Done() <-chan struct{} { return c.done }

// Hangup ends the command's standard input and lets the ladder begin. It does
// not wait.
func (c *Child) Hangup() {
	c.closeStdin()
	c.ask()
}

// End ends the command: Hangup, then Wait. When ctx is done, what is left of
// the command is killed at once.
func (c *Child) End(ctx context.Context) ExitStatus {
	c.Hangup()
	stop := context.AfterFunc(ctx, c.Kill)
	defer stop()
	return c.Wait()
}

// Kill skips to the last step of the ladder. It does not wait.
func (c *Child) Kill() {
	c.rush.Do(func() { close(c.hurry) })
	c.ask()
}

// Wait waits until nothing of the command is left and says how its first
// process ended. It does not make the command end.
func (c *Child) Wait() ExitStatus {
	<-c.done
	return c.status
}

// forwardAll passes signals on until nothing of the command is left. Later
// ones are taken and dropped: what is left for us to do then is to close the
// books, and a second Ctrl-C must not tear them.
func (c *Child) forwardAll(signals <-chan os.Signal) {
	for {
		select {
		case sig := <-signals:
			c.forward(sig)
		case <-c.done:
			return
		}
	}
}

// ask lets the ladder begin.
func (c *Child) ask() { c.askOne.Do(func() { close(c.asked) }) }

// closeStdin ends the command's input. A second close is an error of no
// interest.
func (c *Child) closeStdin() { _ = c.stdin.Close() }
