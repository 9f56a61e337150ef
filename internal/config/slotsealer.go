package config

import (
	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/trail"
)

// A Refusal says that a trail was left as it is, because its seal does not
// hold.
type Refusal struct {
	Dir string
	Err error
}

// A slotSealer seals the first slot that can be sealed, and remembers those
// that cannot. A sealer serves one trail, so each slot gets one of its own.
type slotSealer struct {
	*seal.Sealer // of the slot that is tried, or was taken
	opts         *seal.Options
	refused      []Refusal
}

// Begin implements [trail.Sealer].
func (s *slotSealer) Begin(t *trail.Trail, next uint64) (uint64, error) {
	s.Sealer = seal.New(s.opts)
	at, err := s.Sealer.Begin(t, next)
	if err != nil {
		s.refused = append(s.refused, Refusal{t.Dir(), err})
	}
	return at, err
}
