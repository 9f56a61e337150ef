package trail

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/tooltrail/tooltrail/internal/durable"
)

// Open opens the trail at dir for writing, and makes it where needed. It takes
// the trail's lock, or returns an [*InUseError]; it repairs what an earlier
// process left torn, declares what that one lost, and writes a start note. A
// trail that only a later version can write is [ErrNewerFormat]. o may be nil.
func Open(dir string, o *Options) (*Trail, error) {
	opts := o.withDefaults()
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("trail: open: %w", err)
	}
	if err := opts.FS.Mkdir(filepath.Join(dir, stateDir)); err != nil {
		return nil, fmt.Errorf("trail: open: %w", err)
	}
	lock, err := takeLock(dir)
	if err != nil {
		return nil, err
	}
	t := &Trail{
		dir: dir, opts: opts, fs: opts.FS, lock: lock,
		dirty: make(chan struct{}, 1), stop: make(chan struct{}),
		ended: make(chan struct{}), closeDone: make(chan struct{}),
	}
	if err := t.load(); err != nil {
		_ = t.endSeal()
		if t.live != nil {
			_ = t.live.file.Close()
		}
		_ = lock.Close()
		return nil, err
	}
	if t.sealing {
		opts.Sealer.Start()
	}
	go t.runSyncer()
	t.wakeSyncer()
	return t, nil
}

// load brings the trail into a state in which it can be written.
func (t *Trail) load() error {
	if err := checkFormat(t.dir); err != nil {
		return err
	}
	r := recovery{t: t}
	if err := r.run(); err != nil {
		return err
	}
	t.mu.Lock()
	err := r.say()
	if err == nil {
		t.firstSeq = t.live.end.seq + 1
		err = t.sayStart()
	}
	t.mu.Unlock()
	if err == nil {
		err = t.syncAll()
	}
	if err != nil {
		return err
	}
	r.seal()
	t.counters = newCounters(t.dir, t.firstSeq-1)
	return nil
}

func (t *Trail) sayStart() error {
	host := t.opts.Host
	if host == "" {
		host, _ = os.Hostname()
	}
	attrs := []slog.Attr{slog.Int("format", Format), slog.String("version", t.opts.Version),
		slog.Int("pid", os.Getpid()), slog.String("host", host)}
	if id := bootID(); id != "" {
		attrs = append(attrs, slog.String("boot", id))
	}
	return t.writeNote("start", append(attrs, slog.Uint64("next_seq", t.firstSeq))...)
}

// bootID names this run of the machine, where the system tells.
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// checkFormat refuses a trail of a later format, and marks a new one.
func checkFormat(dir string) error {
	path := filepath.Join(dir, stateDir, formatName)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := durable.WriteFile(path, []byte(strconv.Itoa(Format)+"\n")); err != nil {
			return fmt.Errorf("trail: open %s: %w", dir, err)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("trail: open %s: %w", dir, err)
	}
	if n, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil && n > Format {
		return fmt.Errorf("trail: open %s: format %d: %w", dir, n, ErrNewerFormat)
	}
	return nil
}

// madeAt tells when a segment was begun: at the time of its first line.
func madeAt(path string, otherwise time.Time) time.Time {
	f, err := durable.OpenRead(path)
	if err != nil {
		return otherwise
	}
	defer f.Close()
	line, _, err := newScanner(f, 0, make([]byte, MaxLine+1)).next()
	if err != nil {
		return otherwise
	}
	if ts, ok := (Line{Bytes: line}).Time(); ok {
		return ts
	}
	return otherwise
}
