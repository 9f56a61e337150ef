package seal

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/tooltrail/tooltrail/trail"
)

// A Range is a run of lines, from the index First up to and without Next.
type Range struct {
	First uint64 `json:"first"`
	Next  uint64 `json:"next"`
}

// accept goes on with a trail whose sealed lines are missing or changed, if
// that was asked for and the leaf hashes still show what was sealed. The next
// line gets an index behind all that is sealed, so that what the old
// checkpoints say of the tree stays true.
func (s *Sealer) accept(next uint64, cause error) (at uint64, err error) {
	var broken *BrokenError
	if s.opts.Accept == "" || !errors.As(cause, &broken) {
		return 0, cause
	}
	if s.tree, err = s.open(); err != nil {
		return 0, fmt.Errorf("%w; nor do the leaf hashes show what they were: %w", cause, err)
	}
	at = max(next, s.signed.Size)
	if s.given, err = s.givenUp(); err == nil && at > s.signed.Size {
		err = hashLines(s.tree, s.dir, s.signed.Size, at)
	}
	if err != nil {
		s.tree.close()
		return 0, err
	}
	s.fresh = s.given
	s.accepted = append(s.accepted, s.given...)
	if err := s.saveAccepted(); err != nil {
		s.tree.close()
		return 0, err
	}
	return at, nil
}

// givenUp returns the sealed lines that are missing or changed.
func (s *Sealer) givenUp() ([]Range, error) {
	tree, err := OpenTree(s.dir)
	if err != nil {
		return nil, err
	}
	defer tree.Close()
	segs, err := trail.Segments(s.dir)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	var bad []Range
	next := uint64(0)
	if len(segs) > 0 {
		next = segs[0].First // what lies before was pruned, or is given up by the check of it
	}
	for line, err := range trail.Read(s.dir, nil) {
		var corrupt *trail.CorruptError
		if errors.As(err, &corrupt) {
			continue // the lines that do not come are missing
		}
		if err != nil {
			return nil, fmt.Errorf("seal: %w", err)
		}
		if line.Index >= s.signed.Size {
			break
		}
		if line.Index > next {
			bad = append(bad, Range{next, line.Index})
		}
		if !sameLeaf(tree, line.Index, line.Bytes) {
			bad = addLine(bad, line.Index)
		}
		next = line.Index + 1
	}
	if next < s.signed.Size {
		bad = append(bad, Range{next, s.signed.Size})
	}
	return bad, nil
}

// addLine adds one line to ranges that are in order.
func addLine(ranges []Range, i uint64) []Range {
	if n := len(ranges); n > 0 && ranges[n-1].Next == i {
		ranges[n-1].Next++
		return ranges
	}
	return append(ranges, Range{i, i + 1})
}

// sayAccepted writes what is given up into the trail, where it is sealed.
func (s *Sealer) sayAccepted() error {
	for len(s.given) > 0 {
		r := s.given[0]
		err := s.trail.Note("accepted", slog.String("origin", s.origin), slog.Uint64("first", r.First),
			slog.Uint64("next", r.Next), slog.String("reason", s.opts.Accept))
		if err != nil {
			return err
		}
		s.given = s.given[1:]
	}
	return nil
}

// sayFirst writes what must stand in the trail before anything is signed.
func (s *Sealer) sayFirst() error {
	if len(s.opts.Continues) > 0 && s.signed.Size == 0 && !s.linked {
		if err := s.trail.Note("continues", slog.String("checkpoint", string(s.opts.Continues))); err != nil {
			return err
		}
		s.linked = true
	}
	return s.sayAccepted()
}

// NextOrigin returns the origin of the trail that takes the place of one that
// cannot be continued: KEYNAME/SLOT/2 after KEYNAME/SLOT, then KEYNAME/SLOT/3.
func NextOrigin(origin, slot string) string {
	base, n, ok := strings.Cut(origin, "/"+slot+"/")
	number, err := strconv.ParseUint(n, 10, 32)
	if !ok || err != nil {
		return origin + "/2"
	}
	return base + "/" + slot + "/" + strconv.FormatUint(number+1, 10)
}

// Accepted returns the sealed lines that Begin gave up, by [Options.Accept];
// those of earlier times are not among them.
func (s *Sealer) Accepted() []Range { return s.fresh }

// acceptedName holds, in the trail's private directory, what Begin need not
// refuse again. Verification goes by the notes, not by this file.
const acceptedName = "accepted"

func (s *Sealer) saveAccepted() error {
	b, err := json.Marshal(s.accepted)
	if err != nil {
		return err
	}
	return s.fs.WriteFile(filepath.Join(s.dir, stateDir, acceptedName), append(b, '\n'))
}

// loadAccepted reads what saveAccepted wrote. A file that cannot be read counts
// for nothing: then there is more to refuse.
func loadAccepted(dir string) (ranges []Range) {
	b, err := readFile(filepath.Join(dir, stateDir, acceptedName))
	if err != nil || json.Unmarshal(b, &ranges) != nil {
		return nil
	}
	return ranges
}

// wasAccepted reports whether lines of a segment are given up.
func (s *Sealer) wasAccepted(seg trail.Segment) bool {
	return slices.ContainsFunc(s.accepted, func(r Range) bool {
		return r.Next > seg.First && (seg.Next == 0 || r.First < seg.Next)
	})
}
