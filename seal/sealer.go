package seal

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tooltrail/tooltrail/internal/durable"
	"github.com/tooltrail/tooltrail/trail"
)

// Defaults of [Options].
const (
	DefaultEvery      = 50 * time.Millisecond
	DefaultEpochEvery = time.Minute
)

// Options configure a [Sealer].
type Options struct {
	// Keys are the log keys that sign; the first is the current one. A second
	// signs too while verifiers move from an old key to a new one. At least one
	// is required, and all have the same name. The trail's origin is that name,
	// a slash and the name of the trail's directory.
	Keys []*Key
	// Every is the least time between two checkpoints. 0 means DefaultEvery;
	// lines are signed once they are durable, so [trail.Options.SyncEvery]
	// decides how long they wait.
	Every time.Duration
	// EpochEvery is how long an epoch's key lives. 0 means DefaultEpochEvery.
	EpochEvery time.Duration
	// Accept declares that sealed lines which are missing or changed are given
	// up, with a reason for the record. "" refuses such a trail.
	Accept string
	// Continues is the newest checkpoint of a trail that cannot be continued,
	// and that a new one takes the place of. A note in the new trail links the
	// two, and its origin is [NextOrigin] of the old one's.
	Continues []byte
	// Logger hears of trouble. nil means nobody does.
	Logger *slog.Logger
	// FS is the file system. nil means the system's.
	FS durable.FS
	// Now tells the time. nil means time.Now.
	Now func() time.Time
}

// A Sealer seals the trail that it is given to in [trail.Options]. It hashes
// lines as they are accepted, on a goroutine of its own, and signs what is
// durable. It serves one trail.
type Sealer struct {
	opts   Options
	fs     durable.FS
	trail  *trail.Trail
	dir    string
	origin string

	wake   chan struct{} // for the signer: something may be signed; holds one
	stop   chan struct{} // closed by End
	hasher chan struct{} // closed when the hasher has ended
	signer chan struct{} // closed when the signer has ended

	growing sync.Mutex // guards tree; taken before mu
	tree    *grower

	// The signer's goroutine only, and End's after it.
	started                bool
	linked                 bool    // the note that links the trail before is written
	given, fresh, accepted []Range // lines that are given up: to be noted, since Begin, ever
	keys                   []note.Signer
	epoch                  epochState
	history                historyFile
	signed                 Checkpoint // newest on disk

	mu       sync.Mutex
	arrived  sync.Cond // blocks has grown, or ending
	blocks   []*block  // waiting for the hasher, in order
	spare    []*block
	queued   int    // bytes in blocks
	next     uint64 // index of the next line
	hashed   uint64 // leaves on file
	durable  uint64 // lines that are durable
	behind   bool   // lines are read back from the trail instead of queued
	rewindTo uint64 // leaves from here on are void; noRewind if none are
	ending   bool
	trouble  error // why nothing can be hashed or signed
	final    error // why nothing ever will
	status   Status
}

// Status describes a [Sealer] at one moment.
type Status struct {
	// Origin is the name of the log.
	Origin string
	// Lines is the index behind the last line that was accepted.
	Lines uint64
	// Hashed is how many lines are in the tree.
	Hashed uint64
	// Sealed is the size of the newest checkpoint, and At its time.
	Sealed uint64
	At     time.Time
	// Epoch is the number of the key that signs.
	Epoch uint64
	// Err says why sealing does not go on; nil if it does.
	Err error
}

// A block is a run of lines, copied. buf begins with a spare byte.
type block struct {
	first uint64
	lines uint64
	buf   []byte
}

const (
	blockBytes = 256 << 10
	// maxQueued bounds the copies, in bytes. What is beyond is read back from
	// the trail: a slow seal never stalls the trail.
	maxQueued = 8 << 20
	noRewind  = 1<<64 - 1
)

// New returns a sealer. Key material is only used from Begin on.
func New(o *Options) *Sealer {
	s := &Sealer{opts: *o, fs: o.FS, rewindTo: noRewind}
	if s.opts.Every <= 0 {
		s.opts.Every = DefaultEvery
	}
	if s.opts.EpochEvery <= 0 {
		s.opts.EpochEvery = DefaultEpochEvery
	}
	if s.opts.Now == nil {
		s.opts.Now = time.Now
	}
	if s.fs == nil {
		s.fs = durable.OS{}
	}
	s.arrived.L = &s.mu
	return s
}

// Append implements [trail.Sealer].
func (s *Sealer) Append(first uint64, lines []byte) {
	n := uint64(bytes.Count(lines, newline))
	s.mu.Lock()
	defer s.mu.Unlock()
	if first < s.next {
		s.rewind(first)
	}
	s.next = first + n
	if s.behind {
		return
	}
	if s.queued+len(lines) > maxQueued {
		s.behind = true
		return
	}
	s.queued += len(lines)
	if last := len(s.blocks) - 1; last >= 0 && len(s.blocks[last].buf)+len(lines) <= blockBytes {
		b := s.blocks[last]
		b.buf = append(b.buf, lines...)
		b.lines += n
		return
	}
	b := s.newBlock()
	b.first, b.lines, b.buf = first, n, append(b.buf, lines...)
	s.blocks = append(s.blocks, b)
	s.arrived.Signal()
}

var newline = []byte{'\n'}

// rewind takes account of lines that were lost before they were durable. What
// stands there now is read from the trail. s.mu is held.
func (s *Sealer) rewind(first uint64) {
	s.rewindTo = min(s.rewindTo, first)
	s.durable = min(s.durable, first)
	s.blocks, s.queued, s.behind = nil, 0, true
	s.arrived.Signal()
}

func (s *Sealer) newBlock() *block {
	if n := len(s.spare); n > 0 {
		b := s.spare[n-1]
		s.spare = s.spare[:n-1]
		b.buf = b.buf[:1]
		return b
	}
	return &block{buf: make([]byte, 1, blockBytes)}
}

// Durable implements [trail.Sealer].
func (s *Sealer) Durable(size uint64) {
	s.mu.Lock()
	s.durable = max(s.durable, size)
	s.mu.Unlock()
	s.wakeSigner()
}

func (s *Sealer) wakeSigner() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Status returns the sealer's condition. It never waits for the disk.
func (s *Sealer) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.status
	st.Lines, st.Hashed, st.Err = s.next, s.hashed, s.trouble
	if s.final != nil {
		st.Err = s.final
	}
	return st
}

// End implements [trail.Sealer]: it hashes and signs what is left.
func (s *Sealer) End() error {
	close(s.stop)
	if s.started {
		<-s.signer
	}
	s.mu.Lock()
	s.ending = true
	s.arrived.Signal()
	s.mu.Unlock()
	<-s.hasher
	err := s.signLast()
	s.tree.close()
	return errors.Join(err, s.history.close())
}

// signLast signs everything, for good.
func (s *Sealer) signLast() error {
	s.mu.Lock()
	left, err := s.durable-min(s.hashed, s.durable), s.trouble
	if s.final != nil {
		err = s.final
	}
	s.mu.Unlock()
	if err == nil && left > 0 {
		err = fmt.Errorf("seal: %d lines are not hashed", left)
	}
	if err == nil {
		err = s.tree.sync()
	}
	if err == nil {
		err = s.sign(lasting)
	}
	return err
}

// fail takes account of trouble that may pass. It is logged once.
func (s *Sealer) fail(err error) {
	s.mu.Lock()
	known := s.trouble != nil
	if !known {
		s.trouble = err
	}
	s.mu.Unlock()
	if !known && s.opts.Logger != nil {
		s.opts.Logger.Error("seal: not sealing", "dir", s.dir, "error", err)
	}
}

// well ends the trouble, if there was any.
func (s *Sealer) well() {
	s.mu.Lock()
	was := s.trouble
	s.trouble = nil
	s.mu.Unlock()
	if was != nil && s.opts.Logger != nil {
		s.opts.Logger.Info("seal: sealing again", "dir", s.dir)
	}
}
