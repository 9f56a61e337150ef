package reftools

import (
	"context"

	"github.com/tooltrail/tooltrail/dispatch"
)

type shellArgs struct {
	Command string `json:"command"`
}

type shellResult struct {
	Stdout   string `json:"stdout"`
	Stderr   string `json:"stderr"`
	ExitCode int    `json:"exit_code"`
}

// shell runs a command in the server's working directory.
func shell() dispatch.Tool {
	return dispatch.Func(define(dispatch.Definition{
		ID: "ref:shell.exec", Name: "Shell", Description: "Runs a command with /bin/sh in the server's working directory.",
		Capability:           dispatch.Capability{Domain: "shell", Actions: []string{"exec"}, Tags: []string{"shell", "process"}},
		Safety:               dispatch.Safety{Level: dispatch.SafetyDestructive, SideEffects: []string{"whatever the command does"}},
		Resources:            dispatch.Resources{MaxConcurrent: 10},
		Visibility:           dispatch.VisibilityDangerous,
		RequiredCapabilities: []string{"exec"},
		Tier:                 dispatch.TierCold,
		Errors: []dispatch.ErrorSpec{
			{Code: "EXIT_n", Description: "the command ended with exit code n; the message is the end of its standard error"},
			{Code: "TIMEOUT", Description: "the command did not end in time, and was killed", Retryable: true},
			{Code: dispatch.FailOutputTooLarge, Description: "the command wrote too much, and was killed"},
		},
	}, `{"type":"object","properties":{
		"command":{"type":"string","description":"what sh -c gets"}
	},"required":["command"]}`, `{"type":"object","properties":{
		"stdout":{"type":"string"},
		"stderr":{"type":"string","description":"the last 8 KiB"},
		"exit_code":{"type":"integer"}
	},"required":["stdout","stderr","exit_code"]}`), runShell)
}

func runShell(ctx context.Context, c *dispatch.Call, a shellArgs) (any, error) {
	p := dispatch.Program{Path: "/bin/sh", Args: []string{"-c", "--", a.Command}, Dir: c.Dir, MaxOutput: c.MaxOutput}
	out, err := p.Run(ctx)
	if err != nil {
		return nil, err
	}
	if err := out.Failed(); err != nil {
		return nil, err
	}
	return shellResult{out.Stdout, out.Stderr, out.ExitCode}, nil
}
