package proc

import "time"

// sweepLimit bounds the last step of the ladder. A killed process goes as soon
// as it is scheduled; one that is stuck in the kernel cannot be waited for.
const sweepLimit = 2 * time.Second

// The pause between two looks at the process table grows between these.
const (
	minPause = time.Millisecond
	maxPause = 20 * time.Millisecond
)

// reap waits for the first process.
func (c *Child) reap() {
	defer close(c.exited)
	_ = c.cmd.Wait() // what it says is in ProcessState
}

// supervise lives as long as the command. It alone walks the ladder, once, and
// sets the status.
func (c *Child) supervise() {
	defer close(c.done)
	c.awaitEnd()
	c.ladder()
	c.guard.dismiss()
	c.tree.close()
	if closed(c.exited) {
		c.status = statusOf(c.cmd.ProcessState)
	} else {
		c.status = ExitStatus{Code: 1} // killed, and stuck in the kernel
	}
}

// awaitEnd waits for the first step of the ladder, and meanwhile reaps the
// orphans that a dedicated process adopts.
func (c *Child) awaitEnd() {
	orphans, stop := childSignals(c.tree)
	defer stop()
	c.tree.reap() // those that ended before the signal was asked for
	for {
		select {
		case <-c.exited:
			c.closeStdin()
			return
		case <-c.asked:
			return
		case <-orphans:
			c.tree.reap()
		}
	}
}

// ladder returns when nothing is left. The first step was taken by whoever
// asked for the end.
func (c *Child) ladder() {
	if c.goneWithin(c.grace, nil) {
		c.closeStdin()
		return
	}
	c.tree.terminate()
	c.closeStdin()
	if c.goneWithin(c.grace/2, nil) {
		return
	}
	c.rush.Do(func() { close(c.hurry) })
	c.goneWithin(sweepLimit, c.tree.kill)
}

// goneWithin looks at the tree until nothing is left of it (true) or the time
// is up. Without an action, the time is up too when there is a hurry; with
// one, the action follows each look.
func (c *Child) goneWithin(limit time.Duration, action func()) bool {
	timeUp := time.NewTimer(limit)
	defer timeUp.Stop()
	exited, hurry := c.exited, c.hurry
	if action != nil {
		hurry = nil
	}
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		if c.tree.gone() && closed(c.exited) {
			return true
		}
		if action != nil {
			action()
		}
		select {
		case <-exited:
			exited, pause = nil, minPause
		case <-time.After(pause):
		case <-hurry:
			return false
		case <-timeUp.C:
			return false
		}
	}
}

// closed says whether a channel that carries nothing is closed.
func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
