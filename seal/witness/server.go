package witness

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tooltrail/tooltrail/internal/durable"
	"github.com/tooltrail/tooltrail/seal"
)

// A Server is a witness: an [http.Handler] that cosigns checkpoints. It is
// safe for concurrent use.
type Server struct {
	dir    string
	signer note.Signer
	vkey   string
	logs   []string
	log    *slog.Logger
	lock   *durable.Lock

	mu sync.Mutex // held while a log's newest checkpoint is compared and replaced
}

// Options configure a [Server].
type Options struct {
	// Logs are the verifier keys of the logs that are served: of homes, whose
	// name and a slash begin the origins of their trails, or of single logs.
	Logs []string
	// Logger hears of each cosignature, and of histories that are refused. nil
	// means nobody does.
	Logger *slog.Logger
	// Now tells the time. nil means time.Now.
	Now func() time.Time
}

// New returns the witness that keeps what it has seen in dir, and signs with
// key under the key's name. A directory serves one at a time.
func New(dir string, key *seal.Key, o *Options) (*Server, error) {
	for _, vkey := range o.Logs {
		if _, err := note.NewVerifier(vkey); err != nil {
			return nil, fmt.Errorf("witness: the log %q: %w", vkey, err)
		}
	}
	now := o.Now
	if now == nil {
		now = time.Now
	}
	signer, err := seal.NewCosigner(key.Name, key.Private(), now)
	if err != nil {
		return nil, err
	}
	if err := durable.Mkdir(dir); err != nil {
		return nil, fmt.Errorf("witness: %w", err)
	}
	lock, err := durable.TakeLock(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, fmt.Errorf("witness: %w", err)
	}
	s := &Server{dir: dir, signer: signer, vkey: key.CosignerVKey(), logs: o.Logs, log: o.Logger, lock: lock}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s, nil
}

// VKey returns the witness's verifier key.
func (s *Server) VKey() string { return s.vkey }

// Close gives the directory up.
func (s *Server) Close() error { return s.lock.Close() }

// ServeHTTP takes submissions at /add-checkpoint, and says at / who it is.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/" && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		fmt.Fprintf(w, "tooltrail witness %s, %d keys of logs\n", s.vkey, len(s.logs))
	case r.URL.Path != "/add-checkpoint":
		http.NotFound(w, r)
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "POST only", http.StatusMethodNotAllowed)
	default:
		s.add(w, r)
	}
}

func (s *Server) add(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		http.Error(w, "the request is too large, or broke off", http.StatusBadRequest)
		return
	}
	line, answer := s.cosign(body)
	if answer == nil {
		_, _ = w.Write(line)
		return
	}
	if answer.status == http.StatusConflict {
		w.Header().Set("Content-Type", "text/x.tlog.size")
		w.WriteHeader(answer.status)
		_, _ = io.WriteString(w, answer.text)
		return
	}
	http.Error(w, answer.text, answer.status)
}

// A refusal is an answer other than a cosignature.
type refusal struct {
	status int
	text   string
}

func refuse(status int, format string, args ...any) *refusal {
	return &refusal{status, fmt.Sprintf(format, args...)}
}

// cosign goes through the checks of c2sp.org/tlog-witness, in its order.
func (s *Server) cosign(body []byte) (line []byte, _ *refusal) {
	req, err := parseRequest(body)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "%v", err)
	}
	c, err := seal.PeekCheckpoint(req.checkpoint)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "%v", err)
	}
	known := seal.LogVerifiers(s.logs, c.Origin)
	if len(known) == 0 {
		return nil, refuse(http.StatusNotFound, "the log %s is not known", c.Origin)
	}
	_, n, err := seal.OpenCheckpoint(req.checkpoint, note.VerifierList(known...))
	if err != nil {
		return nil, refuse(http.StatusForbidden, "the checkpoint is not signed by the log's key")
	}
	if req.old > c.Size {
		return nil, refuse(http.StatusBadRequest, "the old size is greater than the new one")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if no := s.consistent(c, req); no != nil {
		if no.status == http.StatusUnprocessableEntity {
			s.log.Warn("witness: refused", "log", c.Origin, "size", c.Size, "reason", no.text)
		}
		return nil, no
	}
	if err := durable.WriteFile(s.path(c.Origin), req.checkpoint); err != nil {
		s.log.Error("witness: cannot keep a checkpoint", "log", c.Origin, "error", err)
		return nil, refuse(http.StatusInternalServerError, "the checkpoint cannot be kept")
	}
	return s.sign(n, c)
}

// consistent compares a checkpoint with the newest of the same log. s.mu is
// held.
func (s *Server) consistent(c seal.Checkpoint, req *request) *refusal {
	last, err := s.last(c.Origin)
	if err != nil {
		s.log.Error("witness: cannot read its own record", "log", c.Origin, "error", err)
		return refuse(http.StatusInternalServerError, "the witness cannot read its own record")
	}
	if req.old != last.Size {
		return refuse(http.StatusConflict, "%d\n", last.Size)
	}
	switch {
	case req.old == 0 && len(req.proof) > 0:
		return refuse(http.StatusUnprocessableEntity, "a proof from nothing")
	case req.old == c.Size && req.old > 0 && (c.Root != last.Root || len(req.proof) > 0):
		return refuse(http.StatusUnprocessableEntity, "another root for the same size")
	case c.Size == 0 && c.Root != emptyRoot:
		return refuse(http.StatusUnprocessableEntity, "the root of the empty log is another")
	case req.old == 0 || req.old == c.Size:
		return nil
	}
	if tlog.CheckTree(req.proof, int64(c.Size), c.Root, int64(req.old), last.Root) != nil {
		return refuse(http.StatusUnprocessableEntity, "the log does not go on from what was seen")
	}
	return nil
}

// emptyRoot is the hash of a tree without leaves (RFC 6962, section 2.1).
var emptyRoot = tlog.Hash(sha256.Sum256(nil))

func (s *Server) sign(n *note.Note, c seal.Checkpoint) ([]byte, *refusal) {
	signed, err := note.Sign(&note.Note{Text: n.Text}, s.signer)
	if err != nil {
		return nil, refuse(http.StatusInternalServerError, "the witness cannot sign")
	}
	s.log.Info("witness: cosigned", "log", c.Origin, "size", c.Size)
	return signed[len(n.Text)+1:], nil
}

// last returns the newest checkpoint of a log that was cosigned; its size is 0
// where there is none.
func (s *Server) last(origin string) (seal.Checkpoint, error) {
	signed, err := os.ReadFile(s.path(origin))
	if errors.Is(err, fs.ErrNotExist) {
		return seal.Checkpoint{Root: emptyRoot}, nil
	}
	if err != nil {
		return seal.Checkpoint{}, err
	}
	return seal.PeekCheckpoint(signed)
}

// path is where the newest checkpoint of a log is kept.
func (s *Server) path(origin string) string {
	sum := sha256.Sum256([]byte(origin))
	return filepath.Join(s.dir, hex.EncodeToString(sum[:])+".checkpoint")
}
