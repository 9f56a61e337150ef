package tiles

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tooltrail/tooltrail/internal/durable"
	"github.com/tooltrail/tooltrail/seal"
)

// DefaultIndexes is how many segments are remembered.
const DefaultIndexes = 64

// Options configure a handler. The zero value is the documented default.
type Options struct {
	// Indexes is for how many segments the handler remembers where lines
	// begin: 8 bytes for each 256 lines. 0 means DefaultIndexes.
	Indexes int
	// Logger hears of files that cannot be read. nil means nobody does.
	Logger *slog.Logger
}

// Handler serves the trail in dir, as c2sp.org/tlog-tiles has it:
//
//	/checkpoint                  the newest checkpoint
//	/tile/L/N[.p/W]              hashes
//	/tile/entries/N[.p/W]        lines
//
// It answers GET and HEAD. A path that names no tile is 400; what the
// checkpoint does not cover yet, or what was pruned, is 404 with a text that
// says which. The trail may grow, rotate and be pruned meanwhile. The
// handler never writes; it does not verify what it serves, readers do. It is
// safe for concurrent use. o may be nil.
func Handler(dir string, o *Options) http.Handler {
	opts := Options{}
	if o != nil {
		opts = *o
	}
	if opts.Indexes <= 0 {
		opts.Indexes = DefaultIndexes
	}
	return &handler{dir: dir, log: opts.Logger, lines: newLines(dir, opts.Indexes)}
}

type handler struct {
	dir   string
	log   *slog.Logger
	lines *lines
}

// Headers of what is served.
const (
	textType  = "text/plain; charset=utf-8"
	bytesType = "application/octet-stream"
	mutable   = "no-cache"
	immutable = "public, max-age=31536000, immutable"
)

// ServeHTTP implements [http.Handler].
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	tilePath, isTile := strings.CutPrefix(path, "tile/")
	if !isTile && path != "checkpoint" {
		refuse(w, http.StatusNotFound, "there are /checkpoint and /tile/")
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed, "only GET and HEAD")
		return
	}
	if !isTile {
		h.serveCheckpoint(w, r)
		return
	}
	t, err := parsePath(tilePath)
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	h.serveTile(w, r, t)
}

func (h *handler) serveCheckpoint(w http.ResponseWriter, r *http.Request) {
	signed, err := h.checkpoint()
	if err != nil {
		h.fail(w, r, err)
		return
	}
	send(w, r, textType, mutable, signed)
}

func (h *handler) serveTile(w http.ResponseWriter, r *http.Request, t tile) {
	signed, err := h.checkpoint()
	if err != nil {
		h.fail(w, r, err)
		return
	}
	c, err := seal.PeekCheckpoint(signed)
	if err != nil {
		h.fail(w, r, fmt.Errorf("checkpoint: %w", err))
		return
	}
	if !t.within(c.Size) {
		h.fail(w, r, missing(fmt.Sprintf("beyond the checkpoint, which covers %d entries", c.Size)))
		return
	}
	var b []byte
	if t.level == entries {
		b, err = h.lines.bundle(t.start(), t.end(), c.Size)
	} else {
		b, err = h.hashes(t)
	}
	if err != nil {
		h.fail(w, r, err)
		return
	}
	send(w, r, bytesType, immutable, b)
}

// maxCheckpoint is more than any checkpoint has, with a hundred witnesses.
const maxCheckpoint = 64 << 10

// checkpoint reads the signed checkpoint.
func (h *handler) checkpoint() ([]byte, error) {
	f, err := durable.OpenRead(filepath.Join(h.dir, "checkpoint"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing("no checkpoint was published yet")
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxCheckpoint))
}

// hashes reads a tile of the tree.
func (h *handler) hashes(t tile) ([]byte, error) {
	f, err := durable.OpenRead(filepath.Join(h.dir, "tree", strconv.Itoa(t.level)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing("this level of the tree is not kept")
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, t.width*tlog.HashSize)
	if _, err := f.ReadAt(b, int64(t.start()*tlog.HashSize)); err != nil {
		return nil, fmt.Errorf("tree/%d is shorter than the checkpoint has it: %w", t.level, err)
	}
	return b, nil
}

// A missing says why something is not there that might have been.
type missing string

func (m missing) Error() string { return string(m) }

// fail answers with an error. Only a missing is told to the client in full.
func (h *handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	if m, ok := errors.AsType[missing](err); ok {
		refuse(w, http.StatusNotFound, string(m))
		return
	}
	if h.log != nil {
		h.log.Error("tiles: cannot serve", "dir", h.dir, "path", r.URL.Path, "error", err)
	}
	refuse(w, http.StatusInternalServerError, "the trail cannot be read here; the server's log says why")
}

func refuse(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Cache-Control", mutable)
	w.Header().Set("Content-Type", textType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n")
}

func send(w http.ResponseWriter, r *http.Request, contentType, caching string, b []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", caching)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
}
