// Package config turns settings into built things. It is the one package that
// knows them all.
package config

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/seal/witness"
	"github.com/tooltrail/tooltrail/trail"
)

// A Recorder is what calls are recorded with: a trail in a home, and the queue
// in front of it.
type Recorder struct {
	Queue *audit.Queue
	Trail *trail.Trail
	// Sealer seals the trail; nil if it is not sealed.
	Sealer *seal.Sealer
	// Refused are the slots of the name that were not taken because their seal
	// does not hold.
	Refused []Refusal
	// MACKey is the home's key for args_mac and result_mac.
	MACKey []byte
	// Intents makes calls known before they run; nil unless asked for.
	Intents *Intents
	// Abandoned are the calls that an earlier process left open, and that are
	// recorded as such now.
	Abandoned int

	anchor *witness.Anchor // nil where there are no witnesses
}

// RecorderOptions set up a [Recorder].
type RecorderOptions struct {
	// Version is the program's version, for the start note.
	Version string
	// Logger hears of changes of state of the trail. nil means nobody does.
	Logger *slog.Logger
	// Keys are the home's; its Home is filled in. nil leaves the trail without
	// a seal, which a note in the trail says.
	Keys *KeyRing
	// Intents asks for Recorder.Intents.
	Intents bool
	// WitnessPolicy is a policy file (c2sp.org/tlog-policy), whose witnesses
	// are shown the checkpoints. "" means nobody is.
	WitnessPolicy string
}

// queueCapacity is eight times the library's default, some 5 MB. A relay passes
// up to 75,000 pipelined calls a second, and a busy disk was seen to keep an
// fdatasync, and the writes behind it, for more than 90 ms.
const queueCapacity = 8 * audit.DefaultQueueCapacity

// OpenRecorder opens the first free slot called name in the home, which is made
// if need be. The caller must Close the recorder. o may be nil.
func OpenRecorder(home, name string, o *RecorderOptions) (*Recorder, error) {
	if o == nil {
		o = &RecorderOptions{}
	}
	h, err := trail.OpenHome(home)
	if err != nil {
		return nil, err
	}
	key, err := macKey(h.Dir())
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	opts := trail.Options{Version: o.Version, Logger: o.Logger}
	var slots slotSealer
	if o.Keys != nil {
		ring := *o.Keys
		ring.Home = h.Dir()
		keys, err := ring.LogKeys()
		if err != nil {
			return nil, &KeyError{err}
		}
		if o.Logger != nil && ring.Replaced(keys[0]) {
			o.Logger.Warn("config: the log key is not one that was pinned for this home; verification will not trust it", "key", ring.LogKeyPath(), "pins", ring.Pins)
		}
		slots.opts = &seal.Options{Keys: keys, Logger: o.Logger}
		opts.Sealer = &slots
	}
	t, err := h.Open(name, &opts)
	if err != nil {
		return nil, err
	}
	sealer := slots.Sealer
	if sealer == nil {
		if err := t.Note("config", slog.String("seal", "off")); err != nil {
			_ = t.Close(context.Background())
			return nil, err
		}
	}
	anchor, err := startAnchor(t, sealer, o)
	if err != nil {
		_ = t.Close(context.Background())
		return nil, err
	}
	q := audit.NewQueue(t, &audit.QueueOptions{Capacity: queueCapacity, FirstSeq: t.NextSeq(), Counters: t.Counters()})
	r := &Recorder{Queue: q, Trail: t, Sealer: sealer, Refused: slots.refused, MACKey: key, anchor: anchor}
	if o.Intents {
		r.Intents = &Intents{t}
	}
	if r.Abandoned, err = startIntents(t, q, o.Intents); err != nil {
		_ = r.Close(context.Background())
		return nil, err
	}
	return r, nil
}

// A KeyError says that the keys which seal a trail cannot be had.
type KeyError struct{ Err error }

// Error says why.
func (e *KeyError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *KeyError) Unwrap() error { return e.Err }

// Close writes what is queued and closes the trail, within ctx. It returns an
// error if events were left unwritten, or lost since the start.
func (r *Recorder) Close(ctx context.Context) error {
	if r.anchor != nil {
		r.anchor.Close()
	}
	err := r.Queue.Close(ctx)
	if s := r.Queue.Stats(); s.Lost > 0 {
		err = errors.Join(err, fmt.Errorf("%d of %d calls could not be recorded", s.Lost, s.Admitted))
	}
	return err
}
