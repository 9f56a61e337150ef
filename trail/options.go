package trail

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/tooltrail/tooltrail/internal/durable"
)

// Defaults of [Options].
const (
	DefaultMaxBytes  = 64 << 20
	DefaultMaxAge    = 24 * time.Hour
	DefaultSyncEvery = 100 * time.Millisecond
)

// Options configure a [Trail]. The zero value is the documented default.
type Options struct {
	// MaxBytes is the size at which a segment is closed and the next begun, in
	// bytes. 0 means DefaultMaxBytes. A batch is never split over two.
	MaxBytes int64
	// MaxAge is the age at which a segment is closed. 0 means DefaultMaxAge,
	// negative means never.
	MaxAge time.Duration
	// KeepBytes bounds the trail's size, in bytes: the oldest closed segments
	// are deleted, whole, when it grows beyond. 0 means no bound.
	KeepBytes int64
	// KeepAge is how long after its last line a closed segment is kept. 0
	// means for ever.
	KeepAge time.Duration
	// SyncEvery is how long a line may wait until it is made durable. 0 means
	// DefaultSyncEvery; negative means only Sync, rotation and Close do it.
	SyncEvery time.Duration
	// Version is the program's version, for the start note.
	Version string
	// Host is the machine's name, for the start note. "" means the system's.
	Host string
	// Logger hears of changes of state: when the trail degrades and when it is
	// well again. nil means nobody does.
	Logger *slog.Logger
	// Sealer is told of every line and seals it. nil means the trail is not
	// sealed.
	Sealer Sealer
	// FS is the file system. nil means the system's.
	FS durable.FS

	clock clock // nil: the system's
}

func (o *Options) withDefaults() Options {
	opts := Options{}
	if o != nil {
		opts = *o
	}
	if opts.MaxBytes <= 0 {
		opts.MaxBytes = DefaultMaxBytes
	}
	if opts.MaxAge == 0 {
		opts.MaxAge = DefaultMaxAge
	}
	if opts.SyncEvery == 0 {
		opts.SyncEvery = DefaultSyncEvery
	}
	if opts.FS == nil {
		opts.FS = durable.OS{}
	}
	if opts.clock == nil {
		opts.clock = systemClock{time.Now()}
	}
	return opts
}

// ErrNewerFormat says that a trail was written by a later version of this
// package. It can be read as far as its lines are understood, not written.
var ErrNewerFormat = errors.New("the trail has a newer format than this version can write; upgrade, or use another directory")

// ErrClosed is returned by the methods of a closed [Trail].
var ErrClosed = errors.New("trail: closed")

// An InUseError says that another process writes the trail.
type InUseError struct {
	// Dir is the trail's directory.
	Dir string
	// PID is the writer's process id; 0 if it is not known.
	PID int
}

// Error names the directory and the process.
func (e *InUseError) Error() string {
	return fmt.Sprintf("trail: %s is in use by process %d", e.Dir, e.PID)
}
