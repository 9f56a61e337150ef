package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/tooltrail/tooltrail/atd"
	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/dispatch"
	"github.com/tooltrail/tooltrail/internal/config"
	"github.com/tooltrail/tooltrail/internal/reftools"
	"github.com/tooltrail/tooltrail/internal/term"
)

// atd serves until a signal comes, and then ends in order: no new calls, those
// that run, the trail.
func (a *app) atd(ctx context.Context, f *atdFlags) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	opts, err := a.atdOptions(f)
	if err != nil {
		return err
	}
	path, err := a.sock(f.sock)
	if err != nil {
		return err
	}
	registry, tools, err := atdRegistry(f.conformance)
	if err != nil {
		return err
	}
	l, err := atd.Listen(path)
	if err != nil {
		return &hintError{err, listenHint(err)}
	}
	defer l.Close()
	rec, err := a.openATDLog(f, opts)
	if err != nil {
		return err
	}
	d, err := dispatch.New(registry, opts)
	if err != nil {
		return errors.Join(err, rec.close())
	}
	server := atd.NewServer(d, &atd.ServerOptions{Logger: opts.Logger})
	scraped, err := a.serveMetrics(f.metrics, server)
	if err != nil {
		return errors.Join(err, rec.close())
	}
	defer scraped()
	fmt.Fprintf(a.stderr, "tooltrail: %d tools on %s, recorded %s\n", tools, term.Safe(path), term.Safe(rec.where))

	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	select {
	case err = <-served:
	case <-ctx.Done():
		stop() // a second signal ends the process at once
		err = a.atdShutdown(server, f.patience)
	}
	return errors.Join(err, rec.close())
}

func (a *app) atdShutdown(server *atd.Server, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		complain(a.stderr, a.errPalette(), fmt.Errorf("calls were cancelled, because they ran for more than %v", patience), "--shutdown-timeout, for more")
	}
	return nil
}

// atdOptions turns flags into what a dispatcher needs, but for the sink.
func (a *app) atdOptions(f *atdFlags) (*dispatch.Options, error) {
	o := &dispatch.Options{
		Name: f.name, Version: "tooltrail " + readVersion().Version, Allow: f.grants,
		Logger: slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	var err error
	if o.Dir, err = workDir(f.dir); err != nil {
		return nil, err
	}
	if o.Tiers, err = atdTiers(f); err != nil {
		return nil, err
	}
	if o.Middleware, err = a.atdMiddleware(f.middleware); err != nil {
		return nil, err
	}
	if o.NeedsIntent, err = needsIntent(f.intents); err != nil {
		return nil, err
	}
	if f.trail != "" && f.auditLog != "" {
		return nil, usagef("--trail and --audit-log exclude each other")
	}
	if o.NeedsIntent != nil && f.auditLog != "" {
		return nil, usagef("--intent needs a trail: leave --audit-log out")
	}
	if f.secrets != "" {
		if o.Broker, err = dispatch.OpenFileBroker(f.secrets); err != nil {
			return nil, &usageError{err, "a file of JSON with mode 0600: " + `{"callers":{"agent-A":{"secrets":{"TOKEN":"..."}}}}`}
		}
	}
	if len(f.roots) > 0 {
		if o.Tokens, err = atd.NewRoots(f.roots...); err != nil {
			return nil, &usageError{err, "--trust-root did:key:z6Mk..."}
		}
	}
	return o, nil
}

// atdRegistry returns the tools, and how many there are.
func atdRegistry(conformance bool) (*dispatch.Registry, int, error) {
	tools := reftools.Tools()
	if conformance {
		tools = append(tools, reftools.ConformanceTools()...)
	}
	registry, err := dispatch.NewRegistry(tools...)
	if err == nil && conformance {
		err = registry.Saturate(reftools.ConformanceSaturated)
	}
	return registry, len(tools), err
}

func listenHint(err error) string {
	switch {
	case errors.Is(err, atd.ErrInUse):
		return "another path with --sock, or end the server that is there"
	case errors.Is(err, atd.ErrNotSocket):
		return "another path with --sock; what is there is left as it is"
	}
	return "a path with --sock that you can write, and that is short"
}

// An atdLog is where the calls go.
type atdLog struct {
	where string
	close func() error
}

// openATDLog opens the trail or the log, and puts it into the options.
func (a *app) openATDLog(f *atdFlags, o *dispatch.Options) (*atdLog, error) {
	if f.auditLog != "" {
		return a.openAuditLog(f.auditLog, o)
	}
	home, err := a.home(f.trail)
	if err != nil {
		return nil, err
	}
	keys, err := a.recordingKeys(home, f.noSeal)
	if err != nil {
		return nil, err
	}
	r, err := config.OpenRecorder(home, f.name, &config.RecorderOptions{
		Version: readVersion().Version, Logger: o.Logger, Keys: keys, WitnessPolicy: a.witnessPolicy(f.policy), Intents: o.NeedsIntent != nil,
	})
	if err != nil {
		return nil, &hintError{err, homeHint(err) + "; nothing was started"}
	}
	a.sayRefused(r)
	if r.Abandoned > 0 {
		fmt.Fprintf(a.stderr, "tooltrail: calls that were running when the last server ended: %d; recorded as ABANDONED\n", r.Abandoned)
	}
	o.Sink, o.MACKey = r.Queue, r.MACKey
	if r.Intents != nil {
		o.Intents = r.Intents
	}
	return &atdLog{"in " + r.Trail.Dir(), func() error { return closeLog(r.Close) }}, nil
}

// openAuditLog opens what --audit-log names. The calls of standard output that
// nobody reads any more are lost, and counted.
func (a *app) openAuditLog(where string, o *dispatch.Options) (*atdLog, error) {
	var q *audit.Queue
	switch where {
	case "stdout":
		q = audit.New(a.stdout, nil)
	case "stderr":
		q = audit.New(a.stderr, nil)
	default:
		var err error
		if q, err = audit.OpenFile(where, nil); err != nil {
			return nil, &usageError{err, "--audit-log FILE, where FILE can be written"}
		}
	}
	o.Sink = q
	return &atdLog{"to " + where, func() error { return closeLog(q.Close) }}, nil
}

func closeLog(end func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	if err := end(ctx); err != nil {
		return &hintError{err, "tooltrail doctor"}
	}
	return nil
}
