package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/trail"
)

// A store is what a queue writes to in the measurements of the seal.
type store struct {
	name string
	open func(dir string) (audit.Writer, error)
	n    int // events
}

func stores(c *config) []store {
	return []store{
		{"plain trail", openPlain, c.times(3_000_000)},
		{"sealed trail, 10 Hz", openSealed, c.times(3_000_000)},
		{"hash chain in every line, unsigned", openChain, c.times(3_000_000)},
	}
}

func openPlain(dir string) (audit.Writer, error) { return trail.Open(dir, nil) }

func openSealed(dir string) (audit.Writer, error) {
	t, _, err := sealed(dir)
	return t, err
}

func sealed(dir string) (*trail.Trail, *seal.Sealer, error) {
	key, err := logKey()
	if err != nil {
		return nil, nil, err
	}
	s := seal.New(&seal.Options{Keys: []*seal.Key{key}})
	t, err := trail.Open(dir, &trail.Options{Sealer: s})
	return t, s, err
}

// logKey is the key of all sealed trails of a run.
var logKey = onceKey()

func onceKey() func() (*seal.Key, error) {
	key, err := seal.NewKey("tooltrail/bench")
	return func() (*seal.Key, error) { return key, err }
}

// A chain adds to every line the hash of itself and of the line before, and
// writes to a trail.
type chain struct {
	*trail.Trail
	last [sha256.Size]byte
	buf  []byte
}

func openChain(dir string) (audit.Writer, error) {
	t, err := trail.Open(dir, nil)
	return &chain{Trail: t}, err
}

func (c *chain) Write(ctx context.Context, batch audit.Batch) error {
	c.buf = c.buf[:0]
	for rest := batch.Bytes; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n')
		start := len(c.buf)
		c.buf = append(c.buf, rest[:end-1]...)
		c.buf = append(c.buf, `,"prev":"`...)
		c.buf = hex.AppendEncode(c.buf, c.last[:])
		c.buf = append(c.buf, `"}`...)
		c.last = sha256.Sum256(c.buf[start:])
		c.buf = append(c.buf, '\n')
		rest = rest[end+1:]
	}
	return c.Trail.Write(ctx, audit.Batch{Bytes: c.buf, Lines: batch.Lines})
}

// measureSeal compares what sealing costs, from OnCall to the last checkpoint.
func measureSeal(c *config) error {
	heading("Sealed, from `OnCall` to the last checkpoint, nothing lost",
		"", "1 goroutine: events/s", "ns, CPU", "8 goroutines: events/s", "ns, CPU", "bytes on disk")
	plain := 0.0
	for _, s := range stores(c) {
		cells := []string{s.name}
		var size float64
		for _, callers := range []int{1, 8} {
			wall, cpu, bytes, err := storeCost(c, s, callers)
			if err != nil {
				return err
			}
			size = bytes
			cells = append(cells, fmt.Sprintf("%.2f M", 1e3/wall), fmt.Sprintf("%.0f", cpu))
		}
		if plain == 0 {
			plain = size
		}
		row(append(cells, fmt.Sprintf("× %.3f", size/plain))...)
	}
	if err := tesseraRow(c, plain); err != nil {
		return err
	}
	if err := measureSignLatency(c); err != nil {
		return err
	}
	return measureProof(c)
}

// storeCost returns the median of three runs: ns an event, and bytes of each.
func storeCost(c *config, s store, callers int) (wall, cpu, size float64, err error) {
	type cost struct{ wall, cpu, size float64 }
	var costs []cost
	for range 3 {
		dir := filepath.Join(c.dir, "store")
		w, err := s.open(dir)
		if err != nil {
			return 0, 0, 0, err
		}
		q := audit.NewQueue(w, &audit.QueueOptions{Policy: audit.Block, Capacity: 8192})
		each := s.n / callers
		total := float64(each * callers)
		before, start := cpuTime(), time.Now()
		parallel(callers, func(int) {
			ev := ready()
			for range each {
				q.OnCall(ev)
			}
		})
		err = closeQueue(q)
		took, used := time.Since(start), cpuTime()-before
		bytes, serr := sizeOf(dir)
		if err = errors.Join(err, serr, os.RemoveAll(dir)); err != nil {
			return 0, 0, 0, err
		}
		costs = append(costs, cost{float64(took) / total, float64(used) / total, float64(bytes) / total})
	}
	slices.SortFunc(costs, func(a, b cost) int { return int(a.wall - b.wall) })
	return costs[1].wall, costs[1].cpu, costs[1].size, nil
}

func sizeOf(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		total += info.Size()
		return err
	})
	return total, err
}

// measureSignLatency sends events at a steady pace and looks how long each
// takes until a checkpoint covers it.
func measureSignLatency(c *config) error {
	heading("From an event to a checkpoint that covers it", "events/s", "reached", "p50, ms", "p99, ms")
	for _, pace := range []int{1000, 100_000, 500_000, 1_000_000} {
		times, reached, err := signLatency(c, pace)
		if err != nil {
			return err
		}
		row(fmt.Sprint(pace), fmt.Sprintf("%.0f", reached), millis(times, 0.5), millis(times, 0.99))
	}
	return nil
}

func millis(times []time.Duration, q float64) string {
	return fmt.Sprintf("%.0f", float64(quantile(times, q))/1e6)
}

func signLatency(c *config, pace int) (times []time.Duration, reached float64, err error) {
	dir := filepath.Join(c.dir, "latency")
	defer os.RemoveAll(dir)
	t, s, err := sealed(dir)
	if err != nil {
		return nil, 0, err
	}
	q := audit.NewQueue(t, &audit.QueueOptions{Policy: audit.Block, Capacity: 8192})
	const step = time.Millisecond
	type mark struct {
		seq uint64
		at  time.Time
	}
	var waiting []mark
	ev := ready()
	start, sent := time.Now(), 0
	steps := c.times(5000)
	settle := func() {
		sealed := s.Status().Sealed // lines; two of them are notes, which makes us look late, not early
		for len(waiting) > 0 && waiting[0].seq+2 <= sealed {
			times = append(times, time.Since(waiting[0].at))
			waiting = waiting[1:]
		}
	}
	for i := 1; i <= steps; i++ {
		for due := pace * i / 1000; sent < due; sent++ {
			q.OnCall(ev)
		}
		waiting = append(waiting, mark{uint64(sent), time.Now()})
		settle()
		time.Sleep(time.Until(start.Add(time.Duration(i) * step)))
	}
	reached = float64(sent) / time.Since(start).Seconds()
	for deadline := time.Now().Add(10 * time.Second); len(waiting) > 0 && time.Now().Before(deadline); time.Sleep(step) {
		settle()
	}
	if err := closeQueue(q); err != nil {
		return nil, 0, err
	}
	if len(waiting) > 0 {
		return nil, 0, fmt.Errorf("%d marks were never sealed", len(waiting))
	}
	return times, reached, nil
}
