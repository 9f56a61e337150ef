package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/tooltrail/tooltrail/atd"
	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/dispatch"
	"github.com/tooltrail/tooltrail/trail"
)

// measureATD measures the real dispatcher, a process of its own with a sealed
// trail, over its socket. The limits are those of ATD for a machine with four
// processors, without the double time that its CI allows, and ours where they
// are tighter.
func measureATD(c *config) error {
	if err := measureDispatch(c); err != nil {
		return err
	}
	server, err := startATD(c)
	if err != nil {
		return err
	}
	for _, measure := range []func(*config, *atdServer) error{measureRequests, measureStorm, measureCallBurst} {
		if err := measure(c, server); err != nil {
			return errors.Join(err, server.stop())
		}
	}
	return server.stop()
}

// returnArgs is a tool that costs nothing.
type returnArgs struct{}

func (returnArgs) Definition() *dispatch.Definition {
	return &dispatch.Definition{ID: "echo", InputSchema: json.RawMessage(`{"type":"object"}`)}
}

func (returnArgs) Call(_ context.Context, c *dispatch.Call) (any, error) { return c.Args, nil }

// measureDispatch is a call without a transport and without a trail.
func measureDispatch(c *config) error {
	registry, err := dispatch.NewRegistry(returnArgs{})
	if err != nil {
		return err
	}
	d, err := dispatch.New(registry, &dispatch.Options{Sink: audit.Discard})
	if err != nil {
		return err
	}
	session, args := dispatch.NewSession(nil), json.RawMessage(`{"text":"hello"}`)
	var times []time.Duration
	for range 20 {
		n := c.times(20_000)
		start := time.Now()
		for range n {
			d.Handle(context.Background(), session, &dispatch.RunTool{ToolID: "echo", Args: args})
		}
		times = append(times, time.Since(start)/time.Duration(n))
	}
	heading("One dispatch without a transport, ns (20 rounds)", "", "best", "median", "limit")
	row("run_tool of an echo", nanos(times, 0), nanos(times, 0.5), "2,000")
	return nil
}

// An atdServer is `tooltrail atd`, and its trail.
type atdServer struct {
	cmd   *exec.Cmd
	sock  string
	home  string
	calls uint64
	ended <-chan error
}

func startATD(c *config) (*atdServer, error) {
	program := filepath.Join(c.dir, "tooltrail")
	build := exec.Command("go", "-C", "..", "build", "-o", program, "./cmd/tooltrail")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build: %w\n%s", err, out)
	}
	s := &atdServer{sock: filepath.Join(c.dir, "atd.sock"), home: filepath.Join(c.dir, "atd-home")}
	s.cmd = exec.Command(program, "atd", "--sock", s.sock, "--trail", s.home)
	s.cmd.Env = append(os.Environ(), "XDG_CONFIG_HOME="+filepath.Join(c.dir, "settings"))
	s.cmd.Stderr = os.Stderr
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- s.cmd.Wait() }()
	s.ended = ended
	for range 500 {
		if client, err := atd.Dial(context.Background(), s.sock); err == nil {
			return s, client.Close()
		}
		time.Sleep(10 * time.Millisecond)
	}
	_ = s.cmd.Process.Kill()
	return nil, errors.New("the server does not listen")
}

// stop ends the server and counts the events: each call must have one.
func (s *atdServer) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := <-s.ended; err != nil {
		return fmt.Errorf("tooltrail atd: %w", err)
	}
	events := uint64(0)
	for line, err := range trail.Read(s.home, nil) {
		if err != nil {
			return err
		}
		if line.Kind() == trail.Event {
			events++
		}
	}
	fmt.Printf("\n%d calls, %d events in the trail.\n", s.calls, events)
	if events != s.calls {
		return errors.New("the trail does not hold every call")
	}
	return os.RemoveAll(s.home)
}

func measureRequests(c *config, s *atdServer) error {
	ctx := context.Background()
	client, err := atd.Dial(ctx, s.sock)
	if err != nil {
		return err
	}
	defer client.Close()
	call := &dispatch.RunTool{ToolID: "ref:echo.say", Args: json.RawMessage(`{"text":"hello"}`)}
	heading("Requests to `tooltrail atd` with a sealed trail, one client, µs", "", "p50", "p99", "limit p50", "limit p99")
	for _, q := range []struct {
		name   string
		limits [2]string
		ask    func() error
	}{
		{"ping", [2]string{"200", "1,500"}, func() error { return client.Ping(ctx) }},
		{"hello + tool_list", [2]string{"", "3,000"}, func() error {
			_, err := client.Hello(ctx, dispatch.Hello{ClientID: "bench"})
			if err == nil {
				_, err = client.Tools(ctx)
			}
			return err
		}},
		{"tool_schema", [2]string{"", "1,000"}, func() error { _, err := client.Schema(ctx, "ref:echo.say"); return err }},
		{"run_tool echo", [2]string{"100", "1,000"}, func() error { s.calls++; _, err := client.Run(ctx, call); return err }},
	} {
		times, err := timed(c.times(20_000), q.ask)
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		row(q.name, micros(times, 0.5), micros(times, 0.99), q.limits[0], q.limits[1])
	}
	return nil
}

func timed(n int, do func() error) ([]time.Duration, error) {
	times := make([]time.Duration, n)
	for i := range times {
		start := time.Now()
		if err := do(); err != nil {
			return nil, err
		}
		times[i] = time.Since(start)
	}
	return times, nil
}

// measureStorm lets clients come all at once, and each greet, list, look up and
// call.
func measureStorm(c *config, s *atdServer) error {
	heading("Storms: clients × (connect + hello + tool_list + 5 tool_schema + 1 run_tool), ms for one client", "", "storms", "p50", "p99", "worst", "limit p99", "errors")
	for _, clients := range []int{10, 50} {
		var all []time.Duration
		var failed []error
		storms := c.times(100)
		for range storms {
			times, errs := storm(s.sock, clients)
			all, failed = append(all, times...), append(failed, errs...)
			s.calls += uint64(clients)
		}
		row(fmt.Sprintf("%d clients", clients), fmt.Sprint(storms), clientMillis(all, 0.5), clientMillis(all, 0.99), clientMillis(all, 1), "100", fmt.Sprint(len(failed)))
		if len(failed) > 0 {
			return failed[0]
		}
	}
	return nil
}

func clientMillis(times []time.Duration, q float64) string {
	return fmt.Sprintf("%.1f", float64(quantile(times, q))/1e6)
}

func storm(sock string, clients int) (times []time.Duration, errs []error) {
	times = make([]time.Duration, clients)
	found := make([]error, clients)
	var done sync.WaitGroup
	begin := make(chan struct{})
	for i := range clients {
		done.Go(func() {
			<-begin
			start := time.Now()
			found[i] = stormClient(sock, fmt.Sprintf("client-%d", i))
			times[i] = time.Since(start)
		})
	}
	close(begin)
	done.Wait()
	for _, err := range found {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return times, errs
}

func stormClient(sock, id string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	client, err := atd.Dial(ctx, sock)
	if err != nil {
		return err
	}
	defer client.Close()
	if _, err := client.Hello(ctx, dispatch.Hello{ClientID: id}); err != nil {
		return err
	}
	tools, err := client.Tools(ctx)
	if err != nil {
		return err
	}
	for _, t := range tools[:5] {
		if _, err := client.Schema(ctx, t.ID); err != nil {
			return err
		}
	}
	r, err := client.Run(ctx, &dispatch.RunTool{ToolID: "ref:echo.say", Args: json.RawMessage(`{"text":"hello"}`)})
	if err == nil && !r.Success {
		err = fmt.Errorf("the call failed: %s", r.Result)
	}
	return err
}

// measureCallBurst calls as fast as eight clients can.
func measureCallBurst(c *config, s *atdServer) error {
	const clients = 8
	n := c.times(10_000) / clients * clients
	start := time.Now()
	errs := make([]error, clients)
	var done sync.WaitGroup
	for i := range clients {
		done.Go(func() { errs[i] = s.burst(n / clients) })
	}
	done.Wait()
	took := time.Since(start)
	s.calls += uint64(n)
	heading("A burst of calls, 8 clients", "calls", "ms", "calls/s")
	row(fmt.Sprint(n), fmt.Sprintf("%.0f", float64(took)/1e6), strings.TrimSpace(fmt.Sprintf("%.0f", float64(n)/took.Seconds())))
	return errors.Join(errs...)
}

func (s *atdServer) burst(n int) error {
	client, err := atd.Dial(context.Background(), s.sock)
	if err != nil {
		return err
	}
	defer client.Close()
	call := &dispatch.RunTool{ToolID: "ref:echo.say", Args: json.RawMessage(`{"text":"hello"}`)}
	for range n {
		if _, err := client.Run(context.Background(), call); err != nil {
			return err
		}
	}
	return nil
}
