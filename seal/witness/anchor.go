package witness

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tooltrail/tooltrail/seal"
)

// A Log is a sealed trail that is being written: what an [Anchor] needs of it.
type Log struct {
	// Dir is the trail's directory.
	Dir string
	// Keep takes a checkpoint that witnesses have cosigned.
	Keep func(signed []byte) error
	// Note writes a note into the trail.
	Note func(kind string, attrs ...slog.Attr) error
}

// An Anchor shows a trail's checkpoints to witnesses, now and then, and keeps
// what they sign. It runs beside the trail and never holds it up.
type Anchor struct {
	log       Log
	opts      AnchorOptions
	witnesses []*asked
	stop      context.CancelFunc
	ended     chan struct{}

	mu    sync.Mutex
	stats AnchorStats // guarded by mu
}

// AnchorOptions configure an [Anchor].
type AnchorOptions struct {
	// Every is how long it waits between two rounds. 0 means 10 seconds.
	Every time.Duration
	// Logger hears when a witness fails, and when it is well again. nil means
	// nobody does.
	Logger *slog.Logger
}

// AnchorStats tell how far witnesses have followed.
type AnchorStats struct {
	// Size is that of the newest checkpoint that a witness cosigned, At when.
	Size uint64
	At   time.Time
	// Failing are the names of the witnesses that did not answer, or refused,
	// in the last round.
	Failing []string
}

// asked is a witness, and what is known of it.
type asked struct {
	name   string
	client *Client
	size   uint64 // that it has cosigned last
	since  time.Time
	err    error // why it fails; nil while it does not
}

// StartAnchor begins to show a trail to the witnesses of a policy that have a
// URL. o may be nil.
func StartAnchor(log Log, p *Policy, o *AnchorOptions) (*Anchor, error) {
	a := &Anchor{log: log, ended: make(chan struct{})}
	if o != nil {
		a.opts = *o
	}
	if a.opts.Every <= 0 {
		a.opts.Every = 10 * time.Second
	}
	for _, w := range p.Witnesses() {
		if w.URL == "" {
			continue
		}
		c, err := NewClient(w.URL, w.VKey, nil)
		if err != nil {
			return nil, fmt.Errorf("witness %s: %w", w.Name, err)
		}
		a.witnesses = append(a.witnesses, &asked{name: w.Name, client: c})
	}
	if len(a.witnesses) == 0 {
		return nil, errors.New("witness: the policy has no witness with a URL")
	}
	ctx, cancel := context.WithCancel(context.Background())
	a.stop = cancel
	go a.run(ctx)
	return a, nil
}

// Close ends the rounds and waits for the one that is under way, whose
// requests are given up.
func (a *Anchor) Close() {
	a.stop()
	<-a.ended
}

// Stats returns how far witnesses have followed.
func (a *Anchor) Stats() AnchorStats {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.stats
}

func (a *Anchor) run(ctx context.Context) {
	defer close(a.ended)
	for {
		a.round(ctx)
		select {
		case <-ctx.Done():
			return
		case <-time.After(a.opts.Every):
		}
	}
}

// round shows the newest checkpoint to every witness that has not seen it.
func (a *Anchor) round(ctx context.Context) {
	signed, err := os.ReadFile(filepath.Join(a.log.Dir, "checkpoint"))
	if err != nil {
		return // the trail has just begun
	}
	c, err := seal.PeekCheckpoint(signed)
	if err != nil {
		return
	}
	lines := make([]string, len(a.witnesses))
	var wg sync.WaitGroup
	for i, w := range a.witnesses {
		if c.Size > w.size {
			wg.Go(func() { lines[i] = a.show(ctx, w, signed, c) })
		}
	}
	wg.Wait()
	if ctx.Err() == nil {
		a.keep(signed, c, lines)
	}
}

// keep adds a checkpoint to the history if anybody has signed it.
func (a *Anchor) keep(signed []byte, c seal.Checkpoint, lines []string) {
	var failing []string
	got := false
	for i, w := range a.witnesses {
		signed, got = append(signed, lines[i]...), got || lines[i] != ""
		if w.err != nil {
			failing = append(failing, w.name)
		}
	}
	if got {
		if err := a.log.Keep(signed); err != nil && a.opts.Logger != nil {
			a.opts.Logger.Error("witness: cannot keep a cosignature", "dir", a.log.Dir, "error", err)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stats.Failing = failing
	if got {
		a.stats.Size, a.stats.At = c.Size, time.Now()
	}
}

// show asks one witness, and takes note when it begins to fail and when it
// ends to.
func (a *Anchor) show(ctx context.Context, w *asked, signed []byte, c seal.Checkpoint) string {
	line, err := a.submit(ctx, w, signed, c)
	var conflict *ConflictError
	if errors.As(err, &conflict) && conflict.Size <= c.Size {
		w.size = conflict.Size // it knows more of us than we thought
		line, err = a.submit(ctx, w, signed, c)
	}
	switch {
	case ctx.Err() != nil:
	case err != nil && w.err == nil:
		w.err, w.since = err, time.Now()
		a.say(slog.LevelWarn, "failing", w)
	case err == nil:
		w.size = c.Size
		if w.err != nil {
			a.say(slog.LevelInfo, "restored", w)
			w.err = nil
		}
	}
	return line
}

func (a *Anchor) submit(ctx context.Context, w *asked, signed []byte, c seal.Checkpoint) (string, error) {
	var proof tlog.TreeProof
	if w.size > 0 && w.size < c.Size {
		tree, err := seal.OpenTree(a.log.Dir)
		if err != nil {
			return "", err
		}
		defer tree.Close()
		if proof, err = tlog.ProveTree(int64(c.Size), int64(w.size), tree); err != nil {
			return "", err
		}
	}
	return w.client.Submit(ctx, signed, w.size, proof)
}

func (a *Anchor) say(level slog.Level, state string, w *asked) {
	if a.opts.Logger != nil {
		a.opts.Logger.Log(context.Background(), level, "witness: "+state, "witness", w.name, "dir", a.log.Dir, "error", w.err)
	}
	_ = a.log.Note("witness", slog.String("witness", w.name), slog.String("state", state),
		slog.Time("since", w.since), slog.String("error", w.err.Error())) // a trail that is closed takes none
}
