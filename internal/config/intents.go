package config

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/internal/durable"
	"github.com/tooltrail/tooltrail/trail"
)

// Intents are notes of a trail that say that a call is about to run. Those that
// a killed process leaves without an event get one when the trail is opened
// again: execution_failed, ABANDONED.
type Intents struct{ trail *trail.Trail }

const (
	noteIntent  = "intent"
	noteSettled = "settled" // every intent before it has its event
	// maxNoted bounds what a caller chose, in a note.
	maxNoted = 1 << 10
)

// Intend writes the note and returns once it is durable. Callers share syncs.
func (i *Intents) Intend(ctx context.Context, ev *audit.CallEvent) error {
	attrs := []slog.Attr{slog.String("call_id", ev.CallID), slog.String("tool_id", noted(ev.ToolID)), slog.String("tier", ev.Tier.String())}
	for _, a := range [][2]string{
		{"caller_id", ev.CallerID}, {"principal", ev.Principal}, {"session_id", ev.SessionID},
		{"server", ev.Server}, {"transport", ev.Transport.String()}, {"args_mac", ev.ArgsMAC},
	} {
		if a[1] != "" {
			attrs = append(attrs, slog.String(a[0], noted(a[1])))
		}
	}
	if err := i.trail.Note(noteIntent, slog.GroupAttrs("call", attrs...)); err != nil {
		return err
	}
	return i.trail.Sync(ctx)
}

func noted(s string) string {
	if len(s) > maxNoted {
		s = s[:maxNoted]
	}
	return strings.ToValidUTF8(s, "")
}

// An intent is what a note says of a call.
type intent struct {
	CallID    string `json:"call_id"`
	ToolID    string `json:"tool_id"`
	CallerID  string `json:"caller_id"`
	Principal string `json:"principal"`
	SessionID string `json:"session_id"`
	Server    string `json:"server"`
	Tier      string `json:"tier"`
	Transport string `json:"transport"`
	ArgsMAC   string `json:"args_mac"`
}

func (i *intent) event() *audit.CallEvent {
	ev := &audit.CallEvent{
		Time: time.Now(), CallID: i.CallID, ToolID: i.ToolID, CallerID: i.CallerID, Principal: i.Principal,
		SessionID: i.SessionID, Server: i.Server, ArgsMAC: i.ArgsMAC, DecidedBy: audit.ByTransport,
		Outcome: audit.ExecutionFailed(audit.CodeAbandoned, false),
	}
	for t := audit.TransportUnknown; t <= audit.TransportInProcess; t++ {
		if t.String() == i.Transport {
			ev.Transport = t
		}
	}
	for _, t := range []audit.Tier{audit.TierHot, audit.TierCold} {
		if t.String() == i.Tier {
			ev.Tier = t
		}
	}
	return ev
}

// startIntents settles what an earlier process left, and says how many calls
// that were. A trail that never had an intent is not read for any.
func startIntents(t *trail.Trail, q *audit.Queue, use bool) (abandoned int, err error) {
	mark := filepath.Join(t.Dir(), "state", "intents")
	if _, err := os.Stat(mark); errors.Is(err, fs.ErrNotExist) {
		if !use {
			return 0, nil
		}
		return 0, durable.WriteFile(mark, nil)
	}
	open, err := openIntents(t.Dir())
	if err != nil {
		return 0, fmt.Errorf("config: read the intents: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for _, i := range open {
		if err := q.Record(ctx, i.event()); err != nil {
			return 0, fmt.Errorf("config: record an abandoned call: %w", err)
		}
	}
	return len(open), t.Note(noteSettled, slog.Int("abandoned", len(open)))
}

// openIntents returns the intents without an event, the oldest first. It reads
// from the segment on that holds the last settlement.
func openIntents(dir string) ([]*intent, error) {
	segments, err := trail.Segments(dir)
	if err != nil {
		return nil, err
	}
	first := 0
	for n := len(segments) - 1; n > 0; n-- {
		settled, err := hasSettlement(segments[n])
		if err != nil {
			return nil, err
		}
		if settled {
			first = n
			break
		}
	}
	var open []*intent
	for _, seg := range segments[first:] {
		if open, err = settle(seg, open); err != nil {
			return nil, err
		}
	}
	return open, nil
}

func hasSettlement(seg trail.Segment) (bool, error) {
	for line, err := range trail.ReadSegment(seg) {
		if err != nil && !isCorrupt(err) {
			return false, err
		}
		if err == nil && line.Note() == noteSettled {
			return true, nil
		}
	}
	return false, nil
}

// settle goes through a segment's lines: an intent opens a call, its event
// closes it, and a settlement closes all.
func settle(seg trail.Segment, open []*intent) ([]*intent, error) {
	for line, err := range trail.ReadSegment(seg) {
		switch {
		case isCorrupt(err):
		case err != nil:
			return nil, err
		case line.Note() == noteIntent:
			var note struct{ Call *intent }
			if json.Unmarshal(line.Bytes, &note) == nil && note.Call != nil {
				open = append(open, note.Call)
			}
		case line.Note() == noteSettled:
			open = nil
		case len(open) > 0 && line.Kind() == trail.Event:
			if ev, err := audit.Decode(line.Bytes); err == nil {
				open = slices.DeleteFunc(open, func(i *intent) bool { return i.CallID == ev.CallID })
			}
		}
	}
	return open, nil
}

func isCorrupt(err error) bool {
	_, ok := errors.AsType[*trail.CorruptError](err)
	return ok
}
