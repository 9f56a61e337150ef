package config

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/seal/witness"
	"github.com/tooltrail/tooltrail/trail"
)

// startAnchor begins to show a trail to the witnesses of the policy; nil where
// there are none.
func startAnchor(t *trail.Trail, s *seal.Sealer, o *RecorderOptions) (*witness.Anchor, error) {
	if o.WitnessPolicy == "" || s == nil {
		return nil, nil
	}
	text, err := os.ReadFile(o.WitnessPolicy)
	if err != nil {
		return nil, fmt.Errorf("config: witness policy: %w", err)
	}
	p, err := witness.ParsePolicy(text)
	if err != nil {
		return nil, fmt.Errorf("config: %s: %w", o.WitnessPolicy, err)
	}
	log := witness.Log{Dir: t.Dir(), Keep: s.Anchored, Note: t.Note}
	return witness.StartAnchor(log, p, &witness.AnchorOptions{Logger: o.Logger})
}

// WitnessKey returns the key of the witness that keeps its record in dir. It
// is made on first use.
func WitnessKey(dir string) (*seal.Key, error) {
	path := filepath.Join(dir, "witness.key")
	text, err := secret(path, func() (string, error) {
		key, err := seal.NewKey(keyName("tooltrail-witness"))
		if err != nil {
			return "", err
		}
		return key.Secret(), nil
	})
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	key, err := seal.ParseKey(text)
	if err != nil {
		return nil, fmt.Errorf("config: %s: %w", path, err)
	}
	return key, nil
}
