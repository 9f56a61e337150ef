package dispatch

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/tooltrail/tooltrail/audit"
)

// A Program is a program that is ready to run. There is no shell.
type Program struct {
	// Path is the program: a path, or a name that is looked up in PATH.
	Path string
	// Args are its arguments, without the program itself.
	Args []string
	// Dir is its working directory. "" means our own.
	Dir string
	// Env is its environment, as os.Environ gives it. nil means [BaseEnv].
	Env []string
	// Stdin is what it reads. "" means an empty input.
	Stdin string
	// MaxOutput is how many bytes it may write to its standard output. 0 means
	// 1 MiB.
	MaxOutput int
}

// An Output is what a program left.
type Output struct {
	Stdout   string // invalid UTF-8 became U+FFFD
	Stderr   string // the last [MaxStderr] bytes, without white space at the end
	ExitCode int    // 128 + n after signal n
}

// MaxStderr is how much of a program's standard error is kept, in bytes.
const MaxStderr = 8 << 10

const (
	// leftovers is how long the end of the output is waited for after the
	// program has ended: a process that got away may hold it open.
	leftovers = 500 * time.Millisecond
	// burial is how long a killed program is waited for. It is less than the
	// time that Dispatcher leaves a tool after its deadline.
	burial = 20 * time.Millisecond
)

// Run runs the program and waits for it. The program gets a process group of
// its own (a job on Windows), of which nothing is left when Run returns,
// whatever ended it; a process that leaves the group gets away.
//
// An exit code is no error. The error is a [Failure] TIMEOUT when the deadline
// of ctx passes and OUTPUT_TOO_LARGE for more than MaxOutput, that of ctx when
// it is cancelled, an [ArgsError] for arguments that no program can be given,
// and an [InternalError] when the program cannot be started.
func (p *Program) Run(ctx context.Context) (*Output, error) {
	if err := ctx.Err(); err != nil {
		return nil, timeUp(err)
	}
	if slices.ContainsFunc(p.Args, func(a string) bool { return strings.ContainsRune(a, 0) }) {
		return nil, InvalidArgs("a program's argument cannot hold a NUL character")
	}
	stdout := &capped{limit: p.MaxOutput, over: make(chan struct{})}
	if stdout.limit <= 0 {
		stdout.limit = TierDefaults[TierWarm].MaxOutput
	}
	stderr := &tail{}
	cmd := p.command()
	cmd.Stdout, cmd.Stderr = stdout, stderr
	g, err := startGroup(cmd)
	switch {
	case errors.Is(err, syscall.E2BIG):
		return nil, InvalidArgs("the arguments are longer than a program can be given")
	case err != nil:
		return nil, errNotStarted(p.Path, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- g.wait() }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		g.bury(ended)
		return nil, timeUp(ctx.Err())
	case <-stdout.over:
		g.bury(ended)
	}
	if stdout.isOver() {
		return nil, Fail(FailOutputTooLarge, false, "the program wrote more than %d bytes", stdout.limit)
	}
	return output(cmd, err, stdout, stderr)
}

func (p *Program) command() *exec.Cmd {
	cmd := exec.Command(p.Path, p.Args...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = p.Dir, p.Env, leftovers
	if cmd.Env == nil {
		cmd.Env = BaseEnv()
	}
	if p.Stdin != "" {
		cmd.Stdin = strings.NewReader(p.Stdin)
	}
	return cmd
}

// bury kills the group, and gives it a moment to end.
func (g *group) bury(ended <-chan error) {
	g.kill()
	last := time.NewTimer(burial)
	defer last.Stop()
	select {
	case <-ended:
	case <-last.C:
	}
}

func output(cmd *exec.Cmd, err error, stdout *capped, stderr *tail) (*Output, error) {
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		return nil, Internal("run %s: %v", cmd.Path, err)
	}
	return &Output{
		Stdout:   strings.ToValidUTF8(stdout.text.String(), "\uFFFD"),
		Stderr:   stderr.String(),
		ExitCode: exitCode(cmd.ProcessState),
	}, nil
}

// Failed is the failure EXIT_n of an exit code other than 0, with what stands
// in the standard error; nil for 0.
func (o *Output) Failed() error {
	if o.ExitCode == 0 {
		return nil
	}
	why := o.Stderr
	if why == "" {
		why = fmt.Sprintf("the program ended with exit code %d", o.ExitCode)
	}
	return Fail(fmt.Sprintf("EXIT_%d", o.ExitCode), false, "%s", why)
}

// timeUp is the error of a tool whose context is done.
func timeUp(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return Fail(audit.CodeTimeout, true, "the program did not end in time, and was killed")
	}
	return err
}
