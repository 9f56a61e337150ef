package trail

import "time"

// A clock tells both times. They come apart when the wall clock is set.
type clock interface {
	now() (wall time.Time, mono time.Duration)
}

// systemClock reads the system's clocks; mono counts from start.
type systemClock struct{ start time.Time }

func (c systemClock) now() (time.Time, time.Duration) {
	t := time.Now()
	return t, t.Sub(c.start)
}

// maxStep is how far the wall clock may step back without a note.
const maxStep = time.Second

// A stepWatch finds steps of the wall clock.
type stepWatch struct {
	wall time.Time // without its monotonic part
	mono time.Duration
}

// step returns how far the wall clock went back against the monotonic one
// since the last call, or 0. Steps forward are left out: a machine that wakes
// from sleep makes one, as its monotonic clock stood still.
func (w *stepWatch) step(wall time.Time, mono time.Duration) time.Duration {
	wall = wall.Round(0)
	last := *w
	*w = stepWatch{wall, mono}
	if last.wall.IsZero() {
		return 0
	}
	if back := (mono - last.mono) - wall.Sub(last.wall); back > maxStep {
		return back
	}
	return 0
}
