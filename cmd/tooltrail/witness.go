package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/tooltrail/tooltrail/internal/config"
	"github.com/tooltrail/tooltrail/internal/term"
	"github.com/tooltrail/tooltrail/seal/tiles"
	"github.com/tooltrail/tooltrail/seal/witness"
)

const witnessLong = `Be a witness for the trails of other machines: remember the newest checkpoint of
each, and cosign only what goes on from it. Run it where those who can change
the trails do not reach. Recorders find it by a policy file:

  log KEY
  witness second NAME+… http://second-machine:7380/
  quorum second

It speaks c2sp.org/tlog-witness over plain HTTP; put a proxy with TLS in front
where the network is not yours.`

func newWitnessCmd(a *app) *cobra.Command {
	var listen, dir string
	var logs []string
	cmd := &cobra.Command{
		Use:   "witness --log KEY... [--listen ADDR] [--dir DIR]",
		Short: "Cosign the checkpoints of other machines",
		Long:  witnessLong,
		Example: `  tooltrail witness --log tooltrail/web1-3f9a1c+5f…
  tooltrail witness --listen :7380 --dir /var/lib/witness --log keys.txt`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.witness(cmd.Context(), listen, dir, logs)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&listen, "listen", "127.0.0.1:7380", "take submissions at `ADDR`")
	flags.StringVar(&dir, "dir", "", "keep what was seen, and the key, in `DIR` (default witness in your state folder)")
	_ = cmd.MarkFlagDirname("dir")
	flags.StringArrayVar(&logs, "log", nil, "serve the logs of this public `KEY`, or of those in a file (may be repeated)")
	return cmd
}

func (a *app) witness(ctx context.Context, listen, dir string, logs []string) error {
	var vkeys []string
	for _, l := range logs {
		k, err := readKeys(l)
		if err != nil {
			return err
		}
		vkeys = append(vkeys, k...)
	}
	if len(vkeys) == 0 {
		return &usageError{Err: errors.New("no log is named"), Hint: "--log KEY; 'tooltrail key show' prints it on the machine that records"}
	}
	if dir == "" {
		home, err := a.home("")
		if err != nil {
			return err
		}
		dir = filepath.Join(filepath.Dir(home), "tooltrail-witness")
	}
	key, err := config.WitnessKey(dir)
	if err != nil {
		return &hintError{err, "name a folder that you can write with --dir"}
	}
	log := slog.New(slog.NewTextHandler(a.stderr, nil))
	s, err := witness.New(dir, key, &witness.Options{Logs: vkeys, Logger: log})
	if err != nil {
		return &hintError{err, "name another folder with --dir, or end the witness that uses it"}
	}
	defer s.Close()
	return a.listen(ctx, listen, s, func(addr string) {
		fmt.Fprintf(a.stdout, "witness w %s http://%s/\n", s.VKey(), addr)
		fmt.Fprintln(a.stderr, "put the line above into the policy of those who record; end with Ctrl-C")
	})
}

const tilesLong = `Serve sealed trails, read-only, as c2sp.org/tlog-tiles: the checkpoint, the
tiles of the tree and the lines themselves. Auditors and their tools read them
and check everything. A home serves each trail under /NAME/.

Whoever reaches the address can read all that was recorded.`

func newTilesCmd(a *app) *cobra.Command {
	var listen, dir string
	cmd := &cobra.Command{
		Use:     "tiles [--trail DIR] [--listen ADDR]",
		Short:   "Serve sealed trails to auditors' tools",
		Long:    tilesLong,
		Example: "  tooltrail tiles\n  curl http://127.0.0.1:7381/filesystem/checkpoint",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.tiles(cmd.Context(), dir, listen) },
	}
	trailFlag(cmd, &dir)
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:7381", "serve at `ADDR`")
	return cmd
}

func (a *app) tiles(ctx context.Context, dir, listen string) error {
	p, err := a.place(dir)
	if err != nil {
		if err == errNothingYet {
			return errSilent
		}
		return err
	}
	one := len(p.dirs) == 1 && p.dirs[0] == p.path
	return a.listen(ctx, listen, a.tileHandler(p, one), func(addr string) {
		if one {
			fmt.Fprintf(a.stdout, "http://%s/\n", addr)
			return
		}
		for _, dir := range p.dirs {
			fmt.Fprintf(a.stdout, "http://%s/%s/\n", addr, term.Safe(filepath.Base(dir)))
		}
	})
}

// tileHandler serves one trail, or each under its name.
func (a *app) tileHandler(p *place, one bool) http.Handler {
	opts := &tiles.Options{Logger: slog.New(slog.NewTextHandler(a.stderr, nil))}
	if one {
		return tiles.Handler(p.path, opts)
	}
	mux := http.NewServeMux()
	for _, dir := range p.dirs {
		prefix := "/" + filepath.Base(dir)
		mux.Handle(prefix+"/", http.StripPrefix(prefix, tiles.Handler(dir, opts)))
	}
	return mux
}

// listen serves until the context ends. begun is told the address.
func (a *app) listen(ctx context.Context, addr string, h http.Handler, begun func(addr string)) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return &hintError{err, "choose another address with --listen"}
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	begun(l.Addr().String())
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		return err
	}
	<-done // http.ErrServerClosed
	return nil
}
