package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/trail"
)

// measureOnCall times the caller's part alone: bursts that the queue has room
// for, with the drain at rest in between.
func measureOnCall(c *config) error {
	heading("One `OnCall`, ns (median of bursts of 480 events)", "", "1 goroutine", "2", "4", "8")
	for _, kind := range []struct {
		name  string
		build func(ev *audit.CallEvent)
	}{{"event ready", keep}, {"event built in the call", build}} {
		for _, who := range contenders {
			cells := []string{who.name + ", " + kind.name}
			for _, callers := range []int{1, 2, 4, 8} {
				ns, err := burstCost(c, who, callers, kind.build)
				if err != nil {
					return err
				}
				cells = append(cells, fmt.Sprintf("%.0f", ns))
			}
			row(cells...)
		}
	}
	return fullCost(c)
}

func keep(*audit.CallEvent) {}

// build fills an event as a dispatcher would: the time, an id, the fields.
func build(ev *audit.CallEvent) {
	now := time.Now()
	*ev = audit.CallEvent{
		Time: now, CallID: audit.NewCallIDAt(now), ToolID: "ref:fs.read", CallerID: "agent-A",
		GrantedCapabilities: ev.GrantedCapabilities, Duration: now.Sub(ev.Time),
		Outcome: audit.ExecutionFailed("NOT_FOUND", false), DecidedBy: audit.ByTool,
	}
}

func burstCost(c *config, who contender, callers int, build func(*audit.CallEvent)) (float64, error) {
	const burst = 480
	var costs []float64
	err := withFile(c, func(f *os.File) error {
		r := who.open(f)
		for range c.times(300) {
			times := [8]time.Duration{}
			parallel(callers, func(i int) {
				ev := ready()
				start := time.Now()
				for range burst / callers {
					build(ev)
					r.emit(ev)
				}
				times[i] = time.Since(start)
			})
			for _, took := range times[:callers] {
				costs = append(costs, float64(took)/float64(burst/callers))
			}
			r.flush()
		}
		return r.close()
	})
	slices.Sort(costs)
	return costs[len(costs)/2], err
}

// fullCost times calls that find the queue full because the writer hangs.
func fullCost(c *config) error {
	hang := make(chan struct{})
	q := audit.NewQueue(hanging{hang}, nil)
	ev := ready()
	for q.Stats().Lost == 0 {
		q.OnCall(ev)
	}
	n := c.times(2_000_000)
	start := time.Now()
	for range n {
		q.OnCall(ev)
	}
	row("tooltrail, queue full", fmt.Sprintf("%.0f", float64(time.Since(start))/float64(n)))
	close(hang)
	err := closeQueue(q)
	if s := q.Stats(); s.Admitted != s.Written+s.Lost || s.Lost == 0 {
		return fmt.Errorf("%w: %+v", err, s)
	}
	return nil
}

type hanging struct{ until chan struct{} }

func (h hanging) Write(context.Context, audit.Batch) error { <-h.until; return nil }
func (h hanging) Close(context.Context) error              { return nil }

// measureSustained writes as fast as it can, with nothing lost.
func measureSustained(c *config) error {
	heading("Written to a file, nothing lost", "", "1 goroutine: events/s", "ns, wall", "ns, CPU", "8 goroutines: events/s", "ns, wall", "ns, CPU")
	for _, who := range contenders {
		cells := []string{who.name}
		for _, callers := range []int{1, 8} {
			wall, cpu, err := sustained(c, who, callers)
			if err != nil {
				return err
			}
			cells = append(cells, fmt.Sprintf("%.2f M", 1e3/wall), fmt.Sprintf("%.0f", wall), fmt.Sprintf("%.0f", cpu))
		}
		row(cells...)
	}
	return nil
}

// sustained returns the median cost of three runs, in ns for an event.
func sustained(c *config, who contender, callers int) (wall, cpu float64, err error) {
	n := c.times(200_000)
	if who.name == "tooltrail" {
		n *= 20 // as long a run as the others'
	}
	type cost struct{ wall, cpu float64 }
	var costs []cost
	for range 3 {
		err := withFile(c, func(f *os.File) error {
			r := who.open(f)
			ev := ready()
			before := cpuTime()
			start := time.Now()
			parallel(callers, func(int) {
				for range n / callers {
					r.emit(ev)
				}
			})
			err := r.close()
			total := float64(n / callers * callers)
			costs = append(costs, cost{float64(time.Since(start)) / total, float64(cpuTime()-before) / total})
			return err
		})
		if err != nil {
			return 0, 0, err
		}
	}
	slices.SortFunc(costs, func(a, b cost) int { return int(a.wall - b.wall) })
	return costs[1].wall, costs[1].cpu, nil
}

// measureBurst sends two bursts at once through the default queue.
func measureBurst(c *config) error {
	heading("Burst of 2 × 200,000 events, capacity 1,024", "", "lost", "ns a call")
	for _, wait := range []time.Duration{0, -1} {
		name := "tooltrail, default"
		if wait < 0 {
			name = "tooltrail, callers never wait"
		}
		err := withFile(c, func(f *os.File) error {
			q := audit.New(f, &audit.QueueOptions{MaxWait: wait})
			ev := ready()
			n := c.times(200_000)
			took := parallel(2, func(int) {
				for range n {
					q.OnCall(ev)
				}
			})
			_ = closeQueue(q)
			s := q.Stats()
			row(name, fmt.Sprintf("%d of %d", s.Lost, s.Admitted), fmt.Sprintf("%.0f", float64(took)/float64(n)))
			if s.Written+s.Lost != s.Admitted {
				return errors.New("the account does not add up")
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// measureDurable returns from each call once its event is on disk.
func measureDurable(c *config) error {
	heading("On disk in a trail before return (group commit)", "goroutines", "events/s", "p50, µs", "p99, µs")
	for _, callers := range []int{1, 8, 64, 512} {
		dir := filepath.Join(c.dir, "durable")
		t, err := trail.Open(dir, nil)
		if err != nil {
			return err
		}
		q := audit.NewQueue(t, &audit.QueueOptions{FirstSeq: t.NextSeq()})
		each := max(c.times(200_000)/callers/max(16/callers, 1), 1)
		took, all, err := recordAll(q, callers, each)
		if err = errors.Join(err, closeQueue(q), os.RemoveAll(dir)); err != nil {
			return err
		}
		row(fmt.Sprint(callers), fmt.Sprintf("%.0f", float64(callers*each)/took.Seconds()), micros(all, 0.5), micros(all, 0.99))
	}
	return nil
}

func recordAll(q *audit.Queue, callers, each int) (time.Duration, []time.Duration, error) {
	times := make([][]time.Duration, callers)
	errs := make([]error, callers)
	took := parallel(callers, func(i int) {
		ev := ready()
		for range each {
			start := time.Now()
			if err := q.Record(context.Background(), ev); err != nil {
				errs[i] = err
				return
			}
			times[i] = append(times[i], time.Since(start))
		}
	})
	return took, slices.Concat(times...), errors.Join(errs...)
}

// measureStalled calls a queue whose writer sleeps 200 ms in each Write.
func measureStalled(c *config) error {
	heading("Writer that sleeps 200 ms a write, 8 callers, each every 100 µs", "", "p50, ns", "p99, ns", "p99.9, ns", "lost", "declared")
	slots, next := make([]audit.CallEvent, audit.DefaultQueueCapacity), atomic.Uint64{}
	floor := paced(c, func(ev *audit.CallEvent) { slots[next.Add(1)%uint64(len(slots))] = *ev })
	row("the machine: one copy of the event", nanos(floor, 0.5), nanos(floor, 0.99), nanos(floor, 0.999), "", "")
	w := &sleeping{pause: 200 * time.Millisecond}
	q := audit.NewQueue(w, nil)
	all := paced(c, q.OnCall)
	_ = closeQueue(q)
	s := q.Stats()
	row("tooltrail", nanos(all, 0.5), nanos(all, 0.99), nanos(all, 0.999), fmt.Sprint(s.Lost), fmt.Sprint(w.declared))
	if w.declared != s.Lost || w.events != s.Written {
		return fmt.Errorf("the stream does not add up: %d events, %d declared lost; %+v", w.events, w.declared, s)
	}
	return nil
}

// paced times calls of eight callers, each of which calls every 100 µs.
func paced(c *config, call func(*audit.CallEvent)) []time.Duration {
	times := make([][]time.Duration, 8)
	parallel(len(times), func(i int) {
		ev := ready()
		times[i] = make([]time.Duration, 0, c.times(30_000)) // appending would wake the collector
		for range c.times(30_000) {
			start := time.Now()
			call(ev)
			times[i] = append(times[i], time.Since(start))
			time.Sleep(100*time.Microsecond - time.Since(start))
		}
	})
	return slices.Concat(times...)
}

// measureSparse calls once in a while, when the drain has gone idle.
func measureSparse(c *config) error {
	heading("Sparse calls, p50 in ns", "", "one every 50 µs", "one every ms")
	for _, who := range contenders {
		cells := []string{who.name}
		for _, every := range []time.Duration{50 * time.Microsecond, time.Millisecond} {
			err := withFile(c, func(f *os.File) error {
				r := who.open(f)
				cells = append(cells, nanos(spaced(r, every, c.times(int(2*time.Second/every))), 0.5))
				return r.close()
			})
			if err != nil {
				return err
			}
		}
		row(cells...)
	}
	return nil
}

func spaced(r recorder, every time.Duration, n int) (times []time.Duration) {
	ev := ready()
	for range n {
		start := time.Now()
		r.emit(ev)
		times = append(times, time.Since(start))
		for time.Since(start) < every {
			time.Sleep(every - time.Since(start))
		}
	}
	return times
}

// parallel runs work on n goroutines at once and returns how long all took.
func parallel(n int, work func(i int)) time.Duration {
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-begin
			work(i)
		})
	}
	start := time.Now()
	close(begin)
	wg.Wait()
	return time.Since(start)
}
