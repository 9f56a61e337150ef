package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tooltrail/tooltrail/dispatch"
)

const atdLong = `Serves the reference tools of ATD (Agent Tool Dispatch) on a Unix socket, and
records one event for each call, whatever its end. Who connects is known by the
operating system; others than you cannot.

A caller gets the capabilities that it asks for, as far as --grant-capability
offers them. What a tool needs: tooltrail tools --sock PATH TOOL.

SIGTERM and SIGINT end the server: calls that run may end, the trail is closed,
and the socket removed.`

const atdExample = `  tooltrail atd --sock /tmp/atd.sock --grant-capability read --grant-capability write
  tooltrail atd --sock /tmp/atd.sock --cwd ~/project --tier-override hot=timeout_ms=200
  tooltrail call --sock /tmp/atd.sock ref:echo.say '{"text":"hello"}'`

type atdFlags struct {
	sock        string
	dir         string
	grants      []string
	trail       string
	name        string
	noSeal      bool
	policy      string
	auditLog    string
	overrides   []string
	conformance bool
	middleware  string
	maxOutput   int
	timeoutMS   int
	intents     []string
	secrets     string
	roots       []string
	metrics     string
	patience    time.Duration
}

func newATDCmd(a *app) *cobra.Command {
	var f atdFlags
	cmd := &cobra.Command{
		Use:     "atd --sock PATH [--cwd DIR] [--grant-capability C]... [--trail DIR | --audit-log WHERE]",
		Short:   "Serve ATD's reference tools on a socket and record their calls",
		Long:    atdLong,
		Example: atdExample,
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.atd(cmd.Context(), &f) },
	}
	flags := cmd.Flags()
	sockFlag(cmd, &f.sock)
	flags.StringVar(&f.dir, "cwd", ".", "the working directory of the tools is `DIR`")
	_ = cmd.MarkFlagDirname("cwd")
	flags.StringArrayVar(&f.grants, "grant-capability", nil, "offer the capability `C` to callers; again for more")
	flags.StringVar(&f.trail, "trail", "", "record into the home `DIR` (default $TOOLTRAIL_DIR, else your state folder)")
	_ = cmd.MarkFlagDirname("trail")
	flags.StringVar(&f.name, "name", "atd", "the server's `NAME` in the trail")
	flags.BoolVar(&f.noSeal, "no-seal", false, "record without a seal; the trail says so, and cannot be verified")
	flags.StringVar(&f.policy, "witness-policy", "", "show checkpoints to the witnesses in `FILE` (default $TOOLTRAIL_WITNESS_POLICY)")
	flags.StringVar(&f.auditLog, "audit-log", "", "write JSON lines to stdout, stderr or the file `WHERE` instead of a trail")
	flags.StringArrayVar(&f.overrides, "tier-override", nil, "change a limit of a tier: `TIER=KEY=N`, KEY is timeout_ms or max_output_bytes; again for more")
	flags.BoolVar(&f.conformance, "enable-conformance-tool", false, "serve the tools that conformance tests need, too")
	flags.StringVar(&f.middleware, "middleware", "redact_paths", "what results go through: `NAME` is redact_paths (hides your home directory) or none")
	flags.IntVar(&f.maxOutput, "max-output-bytes", 0, "no tier allows a result of more than `N` bytes (default the tiers' own)")
	flags.IntVar(&f.timeoutMS, "timeout-ms", 0, "no tier allows a call more than `N` milliseconds (default the tiers' own)")
	flags.StringArrayVar(&f.intents, "intent", nil, "before a call runs, make durable that it will: `WHICH` is hot, warm, cold, destructive or all; again for more")
	flags.StringVar(&f.secrets, "secrets", "", "give callers' tools the secrets in `FILE`, which only you may read")
	flags.StringArrayVar(&f.roots, "trust-root", nil, "accept capability tokens whose chain begins with the key `DID` (did:key:z...); again for more")
	flags.StringVar(&f.metrics, "metrics", "", "serve Prometheus metrics on `ADDR`, such as 127.0.0.1:9464")
	flags.DurationVar(&f.patience, "shutdown-timeout", 10*time.Second, "at the end, let calls run on for `D`")
	return cmd
}

// sockFlag gives a command the flag --sock.
func sockFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVar(path, "sock", "", "the socket's `PATH` (default $ATD_SOCK)")
	_ = cmd.MarkFlagFilename("sock")
}

// sock returns the socket's path.
func (a *app) sock(flag string) (string, error) {
	if flag == "" {
		flag = a.env("ATD_SOCK")
	}
	if flag == "" {
		return "", &usageError{errors.New("there is no socket to use"), "--sock PATH, or the environment variable ATD_SOCK"}
	}
	return flag, nil
}

// atdTiers reads --tier-override, --timeout-ms and --max-output-bytes.
func atdTiers(f *atdFlags) (map[dispatch.Tier]dispatch.Limits, error) {
	limits := map[dispatch.Tier]dispatch.Limits{}
	for tier, l := range dispatch.TierDefaults {
		limits[tier] = l
	}
	for _, text := range f.overrides {
		if err := override(limits, text); err != nil {
			return nil, err
		}
	}
	if f.timeoutMS < 0 || f.maxOutput < 0 {
		return nil, usagef("--timeout-ms and --max-output-bytes must be positive")
	}
	for tier, l := range limits {
		if most := time.Duration(f.timeoutMS) * time.Millisecond; most > 0 {
			l.Timeout = min(l.Timeout, most)
		}
		if f.maxOutput > 0 {
			l.MaxOutput = min(l.MaxOutput, f.maxOutput)
		}
		limits[tier] = l
	}
	return limits, nil
}

// override reads one TIER=KEY=N.
func override(limits map[dispatch.Tier]dispatch.Limits, text string) error {
	tier, rest, _ := strings.Cut(text, "=")
	key, value, ok := strings.Cut(rest, "=")
	n, err := strconv.ParseInt(value, 10, 32)
	l, known := limits[dispatch.Tier(tier)]
	switch {
	case !ok:
		return usagef("--tier-override is TIER=timeout_ms=N or TIER=max_output_bytes=N, not %q", text)
	case !known:
		return usagef("--tier-override: there is no tier %q; they are hot, warm and cold", tier)
	case err != nil || n <= 0:
		return usagef("--tier-override: %q is no number from 1 to 2147483647", value)
	case key == "timeout_ms":
		l.Timeout = time.Duration(n) * time.Millisecond
	case key == "max_output_bytes":
		l.MaxOutput = int(n)
	default:
		return usagef("--tier-override: there is no limit %q; they are timeout_ms and max_output_bytes", key)
	}
	limits[dispatch.Tier(tier)] = l
	return nil
}

// needsIntent reads --intent; nil means that no call needs one.
func needsIntent(which []string) (func(*dispatch.Definition) bool, error) {
	for _, w := range which {
		if !slices.Contains([]string{"hot", "warm", "cold", "destructive", "all"}, w) {
			return nil, usagef("--intent is hot, warm, cold, destructive or all, not %q", w)
		}
	}
	if len(which) == 0 {
		return nil, nil
	}
	return func(d *dispatch.Definition) bool {
		tier := string(d.Tier)
		if tier == "" {
			tier = string(dispatch.TierWarm)
		}
		return slices.Contains(which, "all") || slices.Contains(which, tier) ||
			slices.Contains(which, "destructive") && dispatch.IsDestructive(d)
	}, nil
}

// workDir returns an absolute path of a directory.
func workDir(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", usagef("--cwd: %s is no directory", dir)
	}
	return dir, nil
}

// atdMiddleware reads --middleware.
func (a *app) atdMiddleware(name string) ([]dispatch.Middleware, error) {
	switch name {
	case "none":
		return nil, nil
	case "redact_paths":
		home, err := a.userHome()
		if err != nil {
			return nil, &hintError{fmt.Errorf("there is no home directory to hide: %w", err), "--middleware none"}
		}
		redact, err := dispatch.RedactPaths(home)
		if err != nil {
			return nil, &hintError{err, "--middleware none"}
		}
		return []dispatch.Middleware{redact}, nil
	}
	return nil, usagef("--middleware is redact_paths or none, not %q", name)
}
