package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tooltrail/tooltrail/atd"
	"github.com/tooltrail/tooltrail/dispatch"
)

// atdClientFlags are those of the commands that ask an ATD server.
type atdClientFlags struct {
	sock    string
	client  string
	caps    []string
	tokens  []string
	timeout time.Duration
}

func (f *atdClientFlags) add(cmd *cobra.Command) {
	sockFlag(cmd, &f.sock)
	cmd.Flags().DurationVar(&f.timeout, "timeout", 90*time.Second, "wait for an answer for `D`")
}

func (f *atdClientFlags) addHello(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.client, "client-id", "tooltrail-call", "say that you are `ID`")
	flags.StringArrayVar(&f.caps, "cap", nil, "ask for the capability `C`; again for more")
	flags.StringArrayVar(&f.tokens, "token", nil, "show the capability `TOKEN`; again for more")
}

// withClient connects, and says hello if asked to.
func (a *app) withClient(ctx context.Context, f *atdClientFlags, do func(context.Context, *atd.Client) error) error {
	path, err := a.sock(f.sock)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	c, err := atd.Dial(ctx, path)
	if err != nil {
		return &hintError{err, dialHint(err, path)}
	}
	defer c.Close()
	if f.client != "" || len(f.caps)+len(f.tokens) > 0 {
		_, err := c.Hello(ctx, dispatch.Hello{ClientID: f.client, RequestedCapabilities: f.caps, UCANTokens: f.tokens})
		if err != nil {
			return atdFailure(err)
		}
	}
	return do(ctx, c)
}

func dialHint(err error, path string) string {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return "start a server there: tooltrail atd --sock " + quotePath(path)
	case errors.Is(err, fs.ErrPermission):
		return "ask as the user who started the server"
	}
	return "check --sock"
}

// atdFailure explains an error of a server.
func atdFailure(err error) error {
	var refused *dispatch.Error
	switch {
	case errors.As(err, &refused):
		return &hintError{err, refusalHint(refused)}
	case errors.Is(err, context.DeadlineExceeded):
		return &hintError{errors.New("the server took too long to answer"), "--timeout, for more time"}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &hintError{errors.New("the server closed the connection without an answer"), "what the server says on its standard error"}
	}
	return &hintError{err, "check that the server speaks ATD"}
}

// refusalHint says what may be done about a refusal.
func refusalHint(e *dispatch.Error) string {
	switch e.Code {
	case dispatch.CodeDenied:
		return "--cap C for each that is missing; the server must offer it (--grant-capability C)"
	case dispatch.CodeRateLimited, dispatch.CodeUnavailable:
		return "again, a little later"
	case dispatch.CodeCursorExpired, dispatch.CodeCursorInvalid:
		return "the call from its first page"
	case 0:
		return "tooltrail tools, which lists the tools; tooltrail tools TOOL shows what one takes"
	}
	return ""
}

// failedResult is what a tool says that failed.
type failedResult struct {
	Code      string `json:"code"`
	Message   string `json:"message"`
	Retryable bool   `json:"retryable"`
}

func (f *failedResult) err() error {
	err := fmt.Errorf("%s: %s", f.Code, f.Message)
	if f.Retryable {
		return &hintError{err, "again; the tool says that it may succeed"}
	}
	return err
}
