package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/rs/zerolog"
	"github.com/tooltrail/tooltrail/audit"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// A contender records events in a file.
type contender struct {
	name string
	open func(f *os.File) recorder
}

// A recorder records one event with emit, which many goroutines call; close
// returns once all of them are written.
type recorder struct {
	emit  func(ev *audit.CallEvent)
	flush func()
	close func() error
}

var contenders = []contender{
	{"tooltrail", openTooltrail},
	{"channel + batching drain", openChannel},
	{"zap, buffered", openZapBuffered},
	{"zap", openZap},
	{"zerolog", openZerolog},
	{"slog", openSlog},
}

func openTooltrail(f *os.File) recorder {
	q := audit.New(f, &audit.QueueOptions{Policy: audit.Block})
	return recorder{
		emit:  q.OnCall,
		flush: func() { _ = q.Flush(context.Background()) },
		close: func() error { return closeQueue(q) },
	}
}

func closeQueue(q *audit.Queue) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := q.Close(ctx); err != nil {
		return err
	}
	if s := q.Stats(); s.Written != s.Admitted {
		return fmt.Errorf("%d of %d events were lost", s.Lost, s.Admitted)
	}
	return nil
}

// openChannel is the plain design: a channel of event values, and a goroutine
// that encodes what there is and writes it in batches.
func openChannel(f *os.File) recorder {
	events := make(chan audit.CallEvent, audit.DefaultQueueCapacity)
	done := make(chan error, 1)
	go func() { done <- drainChannel(events, f) }()
	return recorder{
		emit: func(ev *audit.CallEvent) { events <- *ev },
		flush: func() {
			for len(events) > 0 {
				time.Sleep(10 * time.Microsecond)
			}
		},
		close: func() error { close(events); return <-done },
	}
}

func drainChannel(events <-chan audit.CallEvent, w io.Writer) error {
	const batch = 256 << 10
	buf := make([]byte, 0, batch+4<<10)
	for ev := range events {
		buf = append(ev.AppendJSON(buf), '\n')
		if len(events) > 0 && len(buf) < batch {
			continue
		}
		if _, err := w.Write(buf); err != nil {
			return err
		}
		buf = buf[:0]
	}
	_, err := w.Write(buf)
	return err
}

func nothing() {}

func openSlog(f *os.File) recorder {
	log := slog.New(slog.NewJSONHandler(f, nil))
	ctx := context.Background()
	emit := func(ev *audit.CallEvent) {
		log.LogAttrs(ctx, slog.LevelInfo, "call",
			slog.String("call_id", ev.CallID), slog.String("tool_id", ev.ToolID), slog.String("caller_id", ev.CallerID),
			slog.Any("granted_capabilities", ev.GrantedCapabilities), slog.Int64("duration_ms", ev.Duration.Milliseconds()),
			slog.Group("outcome", slog.String("kind", ev.Outcome.Kind.String()), slog.String("code", ev.Outcome.Code), slog.Bool("retryable", ev.Outcome.Retryable)),
			slog.String("tier", ev.Tier.String()), slog.Bool("dry_run", ev.DryRun), slog.Int("schema_version", audit.SchemaVersion),
			slog.Bool("secrets_resolved", ev.SecretsResolved), slog.Uint64("seq", 1), slog.Int64("duration_us", ev.Duration.Microseconds()),
			slog.String("decided_by", ev.DecidedBy.String()))
	}
	return recorder{emit: emit, flush: nothing, close: func() error { return nil }}
}

func openZerolog(f *os.File) recorder {
	log := zerolog.New(f)
	emit := func(ev *audit.CallEvent) {
		log.Log().Time("ts", ev.Time).
			Str("call_id", ev.CallID).Str("tool_id", ev.ToolID).Str("caller_id", ev.CallerID).
			Strs("granted_capabilities", ev.GrantedCapabilities).Int64("duration_ms", ev.Duration.Milliseconds()).
			Dict("outcome", zerolog.Dict().Str("kind", ev.Outcome.Kind.String()).Str("code", ev.Outcome.Code).Bool("retryable", ev.Outcome.Retryable)).
			Str("tier", ev.Tier.String()).Bool("dry_run", ev.DryRun).Int("schema_version", audit.SchemaVersion).
			Bool("secrets_resolved", ev.SecretsResolved).Uint64("seq", 1).Int64("duration_us", ev.Duration.Microseconds()).
			Str("decided_by", ev.DecidedBy.String()).Send()
	}
	return recorder{emit: emit, flush: nothing, close: func() error { return nil }}
}

func openZap(f *os.File) recorder { return zapRecorder(f, nothing) }

func openZapBuffered(f *os.File) recorder {
	w := &zapcore.BufferedWriteSyncer{WS: zapcore.AddSync(struct{ io.Writer }{f}), Size: 256 << 10}
	r := zapRecorder(w, nothing)
	r.close = w.Stop
	return r
}

// struct{ io.Writer } hides the file's Sync, which would otherwise be paid for
// by these contenders only.
func zapRecorder(w io.Writer, flush func()) recorder {
	config := zap.NewProductionEncoderConfig()
	config.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	core := zapcore.NewCore(zapcore.NewJSONEncoder(config), zapcore.AddSync(w), zapcore.InfoLevel)
	log := zap.New(core)
	emit := func(ev *audit.CallEvent) {
		log.Info("call",
			zap.String("call_id", ev.CallID), zap.String("tool_id", ev.ToolID), zap.String("caller_id", ev.CallerID),
			zap.Strings("granted_capabilities", ev.GrantedCapabilities), zap.Int64("duration_ms", ev.Duration.Milliseconds()),
			zap.Dict("outcome", zap.String("kind", ev.Outcome.Kind.String()), zap.String("code", ev.Outcome.Code), zap.Bool("retryable", ev.Outcome.Retryable)),
			zap.String("tier", ev.Tier.String()), zap.Bool("dry_run", ev.DryRun), zap.Int("schema_version", audit.SchemaVersion),
			zap.Bool("secrets_resolved", ev.SecretsResolved), zap.Uint64("seq", 1), zap.Int64("duration_us", ev.Duration.Microseconds()),
			zap.String("decided_by", ev.DecidedBy.String()))
	}
	return recorder{emit: emit, flush: flush, close: func() error { return nil }}
}

// ready is the event that all contenders record: about 350 bytes.
func ready() *audit.CallEvent {
	return &audit.CallEvent{
		Time: time.Now(), CallID: audit.NewCallID(), ToolID: "ref:fs.read", CallerID: "agent-A",
		GrantedCapabilities: []string{"read"}, Duration: 3456 * time.Microsecond,
		Outcome: audit.ExecutionFailed("NOT_FOUND", false), DecidedBy: audit.ByTool,
	}
}
