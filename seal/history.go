package seal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/internal/durable"
)

// A HistoryEntry is one line of checkpoints.jsonl.
type HistoryEntry struct {
	// Size is the checkpoint's.
	Size uint64 `json:"size"`
	// Time is the one that the epoch's key signed, RFC 3339 in UTC.
	Time string `json:"t"`
	// Note is the signed checkpoint.
	Note string `json:"note"`
}

// line returns the entry as it stands in the file, with its '\n'.
func (e HistoryEntry) line() []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(e) // strings and a number: it cannot fail
	return b.Bytes()
}

// entry returns the history's entry for a checkpoint that was signed at a time.
func entry(size uint64, at time.Time, signed []byte) HistoryEntry {
	return HistoryEntry{size, string(audit.AppendTime(nil, at.Truncate(time.Second))), string(signed)}
}

// parseEntry reads a line of the history, without its '\n'. It must be written
// as this package writes it.
func parseEntry(line []byte) (e HistoryEntry, err error) {
	if err := json.Unmarshal(line, &e); err != nil {
		return e, err
	}
	if string(e.line()) != string(line)+"\n" {
		return e, errors.New("the line is not written as it was")
	}
	return e, nil
}

// A historyFile appends to checkpoints.jsonl. It is safe for concurrent use.
type historyFile struct {
	mu   sync.Mutex
	file durable.File
	end  int64
	size uint64    // of the newest entry
	at   time.Time // of the newest entry
}

// openHistory opens the history for appending and cuts off a torn last line.
func openHistory(fsys durable.FS, dir string) (durable.File, int64, error) {
	path := filepath.Join(dir, historyName)
	f, err := fsys.OpenAppend(path, false)
	if errors.Is(err, fs.ErrNotExist) {
		if f, err = fsys.OpenAppend(path, true); err == nil {
			err = fsys.SyncDir(dir)
		}
	}
	if err != nil {
		return nil, 0, fmt.Errorf("seal: open history: %w", err)
	}
	end, err := wholeLines(f)
	if err == nil {
		err = f.Truncate(end)
	}
	if err != nil {
		_ = f.Close()
		return nil, 0, fmt.Errorf("seal: open history: %w", err)
	}
	return f, end, nil
}

// wholeLines returns where the last whole line of a file ends.
func wholeLines(f durable.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	buf := make([]byte, 64<<10)
	for end := info.Size(); end > 0; {
		start := max(0, end-int64(len(buf)))
		n, err := f.ReadAt(buf[:end-start], start)
		if err != nil && n < int(end-start) {
			return 0, err
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			return start + int64(i) + 1, nil
		}
		end = start
	}
	return 0, nil
}

const (
	historyEvery = time.Second
	historyLines = 1024
)

// due reports whether a passing checkpoint is worth an entry: at most one a
// second, and only when the trail has grown by many lines.
func (h *historyFile) due(size uint64, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return size >= h.size+historyLines && (now.Sub(h.at) >= historyEvery || now.Before(h.at))
}

// add appends an entry. A part of a line is not left behind.
func (h *historyFile) add(size uint64, now time.Time, signed []byte, sync bool) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	line := entry(size, now, signed).line()
	n, err := h.file.Write(line)
	if err == nil && n < len(line) {
		err = errors.New("short write")
	}
	if err == nil && sync {
		err = h.file.Datasync()
	}
	if err != nil {
		_ = h.file.Truncate(h.end)
		return fmt.Errorf("seal: append to the history: %w", err)
	}
	h.end += int64(n)
	h.size, h.at = max(h.size, size), now
	return nil
}

func (h *historyFile) close() error {
	if h.file == nil {
		return nil
	}
	return h.file.Close()
}
