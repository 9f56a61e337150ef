package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
)

// ProtocolCLI is the protocol of a binding that runs a program.
const ProtocolCLI = "Cli"

// CLIOptions configure a tool that is a program.
type CLIOptions struct {
	// Dir is the program's working directory. "" means that of the call.
	Dir string
	// Env is the program's environment, as os.Environ gives it. nil means
	// [BaseEnv].
	Env []string
}

// A cliConfig is the config of a binding.
type cliConfig struct {
	Program   string            `json:"program"`
	Args      []string          `json:"args"`
	Stdin     *string           `json:"stdin"`
	SecretEnv map[string]string `json:"secret_env"`
}

// CLI returns a tool that runs a program without a shell. d's first binding
// has the protocol [ProtocolCLI] and a config such as
//
//	{
//		"program": "rg",
//		"args": ["--json", "--max-count={limit}", "--", "{pattern}", "{files}"],
//		"stdin": "{text}",
//		"secret_env": {"API_TOKEN": "name of a secret"}
//	}
//
// Of these only program is required. In args and stdin {name} is replaced by
// the call's argument of that name, strings as they are, numbers and booleans
// as their JSON text. An element that is {name} and nothing else becomes as
// many elements as the argument has, if that is an array. An element that
// names an argument which is absent or null is left out. {{ is a brace. An
// argument that begins with a dash may be an option to the program: let "--"
// stand before it.
//
// secret_env gives the program secrets of the caller in its environment; one
// that the caller does not have is left out.
//
// The result is {"stdout": text, "exit_code": 0}. The call fails with EXIT_n
// and the end of the standard error for another exit code (128 + n after
// signal n), and as [Program.Run] says. o may be nil. The error says what is
// wrong with the config.
func CLI(d Definition, o *CLIOptions) (Tool, error) {
	t := &cliTool{def: d}
	if o != nil {
		t.opts = *o
	}
	if err := t.configure(); err != nil {
		return nil, fmt.Errorf("dispatch: program of tool %q: %w", clip(d.ID), err)
	}
	return t, nil
}

// A cliTool is a tool that is a program.
type cliTool struct {
	def       Definition
	opts      CLIOptions
	program   string
	args      []template
	stdin     template // nil where there is none
	secretEnv map[string]string
}

func (t *cliTool) configure() error {
	if len(t.def.Bindings) == 0 || t.def.Bindings[0].Protocol != ProtocolCLI {
		return errors.New("the first binding's protocol is not " + ProtocolCLI)
	}
	var config cliConfig
	in := json.NewDecoder(strings.NewReader(string(t.def.Bindings[0].Config)))
	in.DisallowUnknownFields()
	if err := in.Decode(&config); err != nil {
		return fmt.Errorf("config: %w", err)
	}
	if config.Program == "" {
		return errors.New("config: program is empty")
	}
	t.program, t.secretEnv = config.Program, config.SecretEnv
	for i, text := range config.Args {
		arg, err := parseTemplate(text)
		if err != nil {
			return fmt.Errorf("config: args[%d]: %w", i, err)
		}
		t.args = append(t.args, arg)
	}
	if config.Stdin != nil {
		var err error
		if t.stdin, err = parseTemplate(*config.Stdin); err != nil {
			return fmt.Errorf("config: stdin: %w", err)
		}
	}
	for name := range config.SecretEnv {
		if name == "" || strings.ContainsAny(name, "=\x00") {
			return fmt.Errorf("config: secret_env: %q cannot be a variable", name)
		}
	}
	return nil
}

func (t *cliTool) Definition() *Definition { return &t.def }

func (t *cliTool) Call(ctx context.Context, c *Call) (any, error) {
	p, err := t.prepare(c)
	if err != nil {
		return nil, err
	}
	out, err := p.Run(ctx)
	if err != nil {
		return nil, err
	}
	if err := out.Failed(); err != nil {
		return nil, err
	}
	return cliResult{out.Stdout, out.ExitCode}, nil
}

type cliResult struct {
	Stdout   string `json:"stdout"`
	ExitCode int    `json:"exit_code"`
}

// prepare puts the arguments of a call into the program.
func (t *cliTool) prepare(c *Call) (*Program, error) {
	var values arguments
	if err := c.Decode(&values); err != nil {
		return nil, err
	}
	p := &Program{Path: t.program, Dir: t.opts.Dir, Env: t.env(c.Secrets), MaxOutput: c.MaxOutput}
	if p.Dir == "" {
		p.Dir = c.Dir
	}
	for _, arg := range t.args {
		texts, err := arg.elements(values)
		if err != nil {
			return nil, err
		}
		p.Args = append(p.Args, texts...)
	}
	if t.stdin != nil {
		text, _, err := t.stdin.fill(values)
		if err != nil {
			return nil, err
		}
		p.Stdin = text
	}
	return p, nil
}

// env is the environment with the caller's secrets.
func (t *cliTool) env(secrets Secrets) []string {
	env := t.opts.Env
	if env == nil {
		env = BaseEnv()
	}
	env = slices.Clone(env)
	for _, name := range slices.Sorted(maps.Keys(t.secretEnv)) {
		if secret, ok := secrets[t.secretEnv[name]]; ok {
			env = append(env, name+"="+secret.Reveal())
		}
	}
	return env
}

// errNotStarted says why a program was not started, without the arguments.
func errNotStarted(path string, err error) error {
	var wrapped *exec.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return Internal("start %s: %v", path, err)
}
