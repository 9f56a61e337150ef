package seal

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/internal/durable"
	"github.com/tooltrail/tooltrail/trail"
)

// RedactOptions say who erases.
type RedactOptions struct {
	// Keys are the log keys, as for a [Sealer].
	Keys []*Key
	// Eraser is the key that orders erasures; its name is that of the log key
	// and "/eraser".
	Eraser *Key
	// Version is the program's version, for the start note.
	Version string
}

// Why a line cannot be erased.
var (
	ErrErased   = errors.New("seal: the line is erased already")
	ErrNoEvent  = errors.New("seal: only events can be erased")
	ErrHasLoss  = errors.New("seal: the line also declares events that were lost, which must stay")
	ErrNoReason = errors.New("seal: the reason must be one line, and must not name the call")
)

// Redact erases the content of one event from the trail at dir, for good. The
// order stands in the trail, sealed, before the line goes; the line's hash
// stays, so everything that was proved stays proved. Nobody may be writing the
// trail. Where an earlier Redact was broken off, it is finished.
func Redact(ctx context.Context, dir string, index uint64, reason string, o *RedactOptions) error {
	line, err := eventAt(dir, index)
	if err != nil {
		return err
	}
	r, err := newRedaction(line, reason)
	if err != nil {
		return err
	}
	if r, err = order(ctx, dir, r, o); err != nil {
		return err
	}
	if line, err = eventAt(dir, index); err != nil {
		return err
	}
	return overwrite(line, r.stub())
}

// eventAt returns a copy of the event's line at an index.
func eventAt(dir string, index uint64) (trail.Line, error) {
	for line, err := range trail.Read(dir, &trail.ReadOptions{From: index}) {
		if err != nil {
			return trail.Line{}, fmt.Errorf("seal: redact: %w", err)
		}
		if line.Index != index {
			break
		}
		line.Bytes = bytes.Clone(line.Bytes)
		switch line.Kind() {
		case trail.Event:
			return line, nil
		case trail.Redacted:
			return line, ErrErased
		}
		return line, ErrNoEvent
	}
	return trail.Line{}, fmt.Errorf("seal: redact: there is no line %d", index)
}

func newRedaction(line trail.Line, reason string) (*redaction, error) {
	ev, err := audit.Decode(line.Bytes)
	if err != nil {
		return nil, fmt.Errorf("seal: redact: %w", err)
	}
	if ev.Lost != nil {
		return nil, ErrHasLoss
	}
	if reason == "" || strings.ContainsAny(reason, "\n\r") || len(reason) > 1000 || strings.Contains(reason, ev.CallID) {
		return nil, ErrNoReason
	}
	leaf := LeafHash(line.Bytes)
	return &redaction{Index: line.Index, Leaf: leaf.String(), Seq: ev.Seq, Bytes: len(line.Bytes), Reason: reason}, nil
}

// order writes the signed order into the trail and has it sealed. An order for
// the same line that is there already is taken instead. The line's segment is
// closed then.
func order(ctx context.Context, dir string, r *redaction, o *RedactOptions) (*redaction, error) {
	s := New(&Options{Keys: o.Keys})
	t, err := trail.Open(dir, &trail.Options{Version: o.Version, Sealer: s, MaxAge: time.Nanosecond})
	if err != nil {
		return nil, err
	}
	if old := orderOf(dir, r, o.Eraser); old != nil {
		r = old
	} else {
		r.Key = o.Eraser.VKey()
		r.Sig = ed25519.Sign(o.Eraser.priv, r.message(s.origin))
		err = t.Note("redact", slog.Uint64("index", r.Index), slog.String("leaf", r.Leaf), slog.Uint64("event_seq", r.Seq),
			slog.Int("bytes", r.Bytes), slog.String("reason", r.Reason), slog.String("key", r.Key),
			slog.String("sig", base64.StdEncoding.EncodeToString(r.Sig)))
	}
	return r, errors.Join(err, t.Close(ctx))
}

// orderOf returns the order to erase a line that an earlier, broken off, call
// has written; nil if there is none.
func orderOf(dir string, r *redaction, eraser *Key) *redaction {
	for line, err := range trail.Read(dir, &trail.ReadOptions{From: r.Index}) {
		var old redaction
		if err == nil && line.Note() == "redact" && json.Unmarshal(line.Bytes, &old) == nil &&
			old.Index == r.Index && old.Leaf == r.Leaf && old.Key == eraser.VKey() {
			return &old
		}
	}
	return nil
}

// overwrite puts the stub in the place of a line, in the same file, so that
// who follows the file does not read it anew. The mode and the time of the
// file stay, as retention goes by them.
func overwrite(line trail.Line, stub []byte) error {
	if len(stub) != len(line.Bytes) {
		return fmt.Errorf("seal: redact: the stub has %d bytes, the line %d", len(stub), len(line.Bytes))
	}
	info, err := os.Lstat(line.Segment)
	if err != nil {
		return fmt.Errorf("seal: redact: %w", err)
	}
	if err := os.Chmod(line.Segment, durable.FileMode); err != nil {
		return fmt.Errorf("seal: redact: %w", err)
	}
	f, err := os.OpenFile(line.Segment, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("seal: redact: %w", err)
	}
	err = durable.CheckSafe(f)
	if err == nil {
		_, err = f.WriteAt(stub, line.Offset)
	}
	if err == nil {
		err = durable.Datasync(f)
	}
	err = errors.Join(err, os.Chtimes(line.Segment, info.ModTime(), info.ModTime()), f.Chmod(info.Mode().Perm()), f.Close())
	if err != nil {
		return fmt.Errorf("seal: redact: %w", err)
	}
	return nil
}
