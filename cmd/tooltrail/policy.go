package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/seal/witness"
)

// kindNotWitnessed is the finding that no checkpoint has the quorum of the
// policy.
const kindNotWitnessed seal.Kind = "not_witnessed"

// readPolicy reads a policy of witnesses; nil where none is named.
func readPolicy(path string) (*witness.Policy, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, &usageError{Err: err}
	}
	p, err := witness.ParsePolicy(text)
	if err != nil {
		return nil, &usageError{Err: fmt.Errorf("%s: %w", path, err), Hint: "see https://c2sp.org/tlog-policy"}
	}
	return p, nil
}

// A witnessed is the newest checkpoint of a trail that the quorum has signed.
type witnessed struct {
	size uint64
	at   time.Time
	by   []string
}

// witnessedUpTo looks through a trail's checkpoints for those that the quorum
// of a policy has signed.
func witnessedUpTo(dir string, p *witness.Policy) (w witnessed) {
	look := func(signed []byte) {
		c, err := seal.PeekCheckpoint(signed)
		if err != nil || c.Size < w.size {
			return
		}
		have, err := p.Quorum(signed)
		if err != nil || len(have) == 0 {
			return
		}
		w = witnessed{size: c.Size}
		for _, h := range have {
			w.by = append(w.by, h.Name)
			if h.Time.After(w.at) {
				w.at = h.Time
			}
		}
	}
	for e, err := range seal.History(dir) {
		if err != nil {
			break // the verification has reported it
		}
		look([]byte(e.Note))
	}
	if b, err := os.ReadFile(filepath.Join(dir, "checkpoint")); err == nil {
		look(b)
	}
	return w
}

// holdToPolicy adds to a report what the witnesses have seen of the trail, or
// that it is too little.
func holdToPolicy(r *seal.Report, p *witness.Policy) {
	if p == nil || r.Sealed == 0 {
		return
	}
	w := witnessedUpTo(r.Trail, p)
	if w.size == 0 {
		r.OK = false
		r.Findings = append(r.Findings, seal.Finding{Kind: kindNotWitnessed,
			Says: "no checkpoint of the trail has been signed by the witnesses that the policy asks for"})
		return
	}
	r.Witnessed, r.WitnessedAt, r.Witnesses = w.size, w.at, w.by
}
