package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"

	"github.com/tooltrail/tooltrail/seal"
)

// tesseraRow measures Tessera's POSIX driver, tuned for our case: large
// batches and a checkpoint every 100 ms. It takes encoded lines, so it is
// spared the queue and the encoder.
func tesseraRow(c *config, plain float64) error {
	dir := filepath.Join(c.dir, "tessera")
	defer os.RemoveAll(dir)
	n := c.times(100_000)
	before, start := cpuTime(), time.Now()
	if err := tesseraRun(dir, n); err != nil {
		return err
	}
	took, used := time.Since(start), cpuTime()-before
	size, err := sizeOf(dir)
	if err != nil {
		return err
	}
	row("Tessera, POSIX, batches of 4,096, 10 Hz", "", "", fmt.Sprintf("%.3f M", float64(n)/took.Seconds()/1e6),
		fmt.Sprintf("%.0f", float64(used)/float64(n)), fmt.Sprintf("× %.3f", float64(size)/float64(n)/plain))
	return nil
}

func tesseraRun(dir string, n int) (err error) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	key, err := seal.NewKey("tooltrail/bench")
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(key.Secret())
	if err != nil {
		return err
	}
	driver, err := posix.New(ctx, posix.Config{Path: dir})
	if err != nil {
		return err
	}
	opts := tessera.NewAppendOptions().WithCheckpointSigner(signer).WithBatching(4096, 100*time.Millisecond).
		WithCheckpointInterval(100 * time.Millisecond)
	appender, shutdown, reader, err := tessera.NewAppender(ctx, driver, opts)
	if err != nil {
		return err
	}
	ev := ready()
	ev.Seq = 1_000_000
	line := ev.AppendJSON(nil)
	await := tessera.NewPublicationAwaiter(ctx, reader.ReadCheckpoint, 10*time.Millisecond)
	const callers = 8
	errs := make([]error, callers)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() { errs[i] = tesseraAdd(ctx, appender, await, line, n/callers) })
	}
	wg.Wait()
	return errors.Join(append(errs, shutdown(ctx))...)
}

// tesseraAdd adds entries, a window at a time, and waits until the last is in a
// checkpoint. What the log has no room for is added again.
func tesseraAdd(ctx context.Context, a *tessera.Appender, await *tessera.PublicationAwaiter, line []byte, n int) error {
	const window = 512
	var last tessera.IndexFuture
	for n > 0 {
		futures := make([]tessera.IndexFuture, min(window, n))
		for i := range futures {
			futures[i] = a.Add(ctx, tessera.NewEntry(line))
		}
		for _, f := range futures {
			switch _, err := f(); {
			case errors.Is(err, tessera.ErrPushback):
				time.Sleep(time.Millisecond)
			case err != nil:
				return err
			default:
				last = f
				n--
			}
		}
	}
	_, _, err := await.Await(ctx, last)
	return err
}
