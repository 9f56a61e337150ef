package seal

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/tooltrail/tooltrail/trail"
)

// VerifyOptions say what is trusted. Nothing in the trail, or beside it, is.
type VerifyOptions struct {
	// Keys are the verifier keys of homes (the trail's origin begins with the
	// key's name and a slash) or of trails (it is the key's name). At least one
	// is required.
	Keys []string
	// Erasers are the verifier keys that may have lines erased.
	Erasers []string
	// Anchors are checkpoints of this trail that were kept elsewhere.
	Anchors []Anchor
	// MaxAge is how old the newest checkpoint may be. 0 means any age.
	MaxAge time.Duration
	// AllowDeclared lets lines be missing that an accepted note gives up.
	AllowDeclared bool
	// AllowRestart lets epochs be restarted by the log key.
	AllowRestart bool
	// Workers is how many segments are read at once. 0 means GOMAXPROCS.
	Workers int
	// Progress is told, from one goroutine, how many bytes are done. May be
	// nil.
	Progress func(done, total int64)
	// Now tells the time. nil means time.Now.
	Now func() time.Time
}

// An Anchor is a signed checkpoint that was kept elsewhere.
type Anchor struct {
	Name   string // for the report
	Signed []byte
}

// ErrNoKeys says that there is nothing to trust.
var ErrNoKeys = errors.New("seal: no key is trusted")

// Verify reads all lines of the trail at dir and compares them with what was
// signed. What is wrong stands in the report; an error means that there is no
// verdict. A trail may be written meanwhile.
func Verify(ctx context.Context, dir string, o *VerifyOptions) (*Report, error) {
	if len(o.Keys) == 0 {
		return nil, ErrNoKeys
	}
	opts := *o
	if opts.Workers <= 0 {
		opts.Workers = runtime.GOMAXPROCS(0)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("seal: verify: %w", err)
	}
	for tries := 3; ; tries-- {
		v := &verification{dir: dir, opts: opts, report: &Report{Trail: dir, Findings: []Finding{}}}
		if err := v.run(ctx); err != nil {
			return nil, fmt.Errorf("seal: verify %s: %w", dir, err)
		}
		v.report.OK = len(v.report.Findings) == 0
		if v.report.OK || tries == 0 || !v.moved() {
			return v.report, nil
		}
	}
}

// A verification is one pass over a trail.
type verification struct {
	dir    string
	opts   VerifyOptions
	report *Report

	newest   []byte // the checkpoint file as it was read
	marks    []mark // what was signed, by size
	segs     []trail.Segment
	tree     *Tree
	treeSize uint64
	parts    []*part // of segs
	nodes    []treeNode
	missing  []Range // lines that are not there
	wrong    []mark  // marks whose root is not that of the lines
	good     uint64  // the greatest size whose root is right
	differs  bool    // a line is not the one that tree/0 says

	historyTorn bool
	historyLast uint64 // size of the last own entry
	epochs      []epochNote
	accepted    []Range
	redactions  map[uint64]redaction
}

func (v *verification) run(ctx context.Context) (err error) {
	if v.tree, err = OpenTree(v.dir); err != nil {
		return err
	}
	defer v.tree.Close()
	if err := v.readSigned(); err != nil {
		return err
	}
	if v.segs, err = trail.Segments(v.dir); err != nil {
		return err
	}
	if v.treeSize, err = v.tree.Size(); err != nil {
		return err
	}
	account := v.startAccount()
	if err := v.hashSegments(ctx); err != nil {
		return err
	}
	v.readNotes()
	v.compare()
	v.checkEpochs()
	v.checkStubs()
	v.checkEnds()
	v.checkAge()
	return v.checkAccount(account())
}

func (v *verification) find(f Finding) { v.report.Findings = append(v.report.Findings, f) }

func (v *verification) says(kind Kind, format string, args ...any) {
	v.find(Finding{Kind: kind, Says: fmt.Sprintf(format, args...)})
}

// moved reports whether a writer has published another checkpoint since.
func (v *verification) moved() bool {
	now, err := readFile(filepath.Join(v.dir, checkpointName))
	return err == nil && string(now) != string(v.newest)
}

// checkAge holds the newest checkpoint to the limit.
func (v *verification) checkAge() {
	age := v.opts.Now().Sub(v.report.SealedAt)
	if v.opts.MaxAge > 0 && v.report.Sealed > 0 && age > v.opts.MaxAge {
		v.says(KindStale, "the newest checkpoint is %s old, and may be %s at most: newer ones were held back, or nobody writes", age.Round(time.Second), v.opts.MaxAge)
	}
}

// startAccount begins to add the trail up, beside the hashing where that may
// use more than one goroutine. The function that it returns waits for it.
func (v *verification) startAccount() func() (trail.Account, error) {
	add := sync.OnceValues(func() (trail.Account, error) { return trail.Check(v.dir) })
	if v.opts.Workers > 1 {
		go add()
	}
	return add
}

// checkAccount looks for sequence numbers that nothing accounts for.
func (v *verification) checkAccount(a trail.Account, err error) error {
	if err != nil {
		return err
	}
	v.report.Events = a.Events
	v.report.Lost = a.Lost
	for _, r := range a.Undeclared {
		v.find(Finding{Kind: KindGap, Count: r.Last - r.First + 1,
			Says: fmt.Sprintf("the events with seq %d to %d are in no line, and no line declares them lost", r.First, r.Last)})
	}
	return nil
}
