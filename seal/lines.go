package seal

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tooltrail/tooltrail/trail"
)

// firstLine returns the first whole line of b.
func firstLine(b []byte) []byte {
	line, _, _ := bytes.Cut(b, newline)
	return line
}

// lastLine returns the last whole line of b.
func lastLine(b []byte) []byte {
	b = b[:max(0, bytes.LastIndexByte(b, '\n'))]
	return b[bytes.LastIndexByte(b, '\n')+1:]
}

// lastOfHistory returns the newest checkpoint of checkpoints.jsonl, as far as
// the file can be read; nil where there is none. What cannot be read is for
// verification to report.
func lastOfHistory(dir string) (last []byte) {
	for e, err := range History(dir) {
		if err != nil {
			break
		}
		last = []byte(e.Note)
	}
	return last
}

// resume finds the key that signs from now on. A hand-over that was under way
// goes on if its note is in the trail. Where the key is gone, the log key has
// to begin anew, which verification reports.
func (s *Sealer) resume(e epochState, known bool, next uint64) (epochState, error) {
	newest, _, _ := epochOf(s.newestNote()) // 0 where there is none
	if n := e.Next; known && n != nil && e.Origin == s.origin && e.Epoch+1 == newest {
		// Its first checkpoint was published; that it took over was not saved.
		e = epochState{Origin: e.Origin, Epoch: newest, Seed: n.Seed, Began: s.opts.Now()}
		if err := s.saveEpoch(e); err != nil {
			return e, err
		}
	}
	if !known || e.Origin != s.origin || e.Epoch < newest {
		last, err := s.lastEpochNote(newest)
		if err != nil {
			return epochState{}, err
		}
		if last == 0 {
			return epochState{Origin: s.origin}, nil
		}
		lost := epochState{Origin: s.origin, Epoch: last}
		lost.Next = &nextKey{Seed: newSeed(), From: next, By: byRestart}
		return lost, s.saveEpoch(lost)
	}
	e.use()
	if e.Next == nil {
		return e, nil
	}
	end, err := s.findEpochNote(e, next)
	if err != nil {
		return e, err
	}
	if end == 0 && e.Epoch > 0 && e.Next.By == byEpoch {
		e.Next = nil // it was never announced
		e.Began = s.opts.Now()
	} else {
		e.Next.end = end
	}
	return e, nil
}

// newestNote returns the newest checkpoint as it is on disk.
func (s *Sealer) newestNote() []byte {
	b, _ := newestCheckpoint(s.dir)
	return b
}

// epochOf returns which epoch signed a checkpoint, and when. Nothing is
// verified.
func epochOf(signed []byte) (n uint64, at time.Time, err error) {
	c, err := PeekCheckpoint(signed)
	if err != nil {
		return 0, at, err
	}
	for line := range strings.SplitSeq(string(signed), "\n") {
		rest, ok := strings.CutPrefix(line, "— "+c.Origin+epochInfix)
		number, sig, _ := strings.Cut(rest, " ")
		if !ok {
			continue
		}
		if n, err = strconv.ParseUint(number, 10, 64); err == nil {
			at, err = CosignatureTime(note.Signature{Base64: sig})
		}
		return n, at, err
	}
	return 0, at, errors.New("seal: no epoch has signed the checkpoint")
}

// findEpochNote returns the index behind the note that announces e's next key,
// or 0.
func (s *Sealer) findEpochNote(e epochState, next uint64) (end uint64, err error) {
	if e.Next.From >= next {
		return 0, nil
	}
	want := []byte(`"key":"` + e.Next.vkey(s.origin, e.Epoch+1) + `"`)
	for line, err := range trail.Read(s.dir, &trail.ReadOptions{From: e.Next.From}) {
		if err != nil || line.Index >= next {
			break
		}
		if line.Note() == "epoch" && bytes.Contains(line.Bytes, want) {
			return line.Index + 1, nil
		}
	}
	return 0, nil
}

// lastEpochNote returns the number of the last epoch that the trail announces,
// at least that of the newest checkpoint.
func (s *Sealer) lastEpochNote(atLeast uint64) (uint64, error) {
	last := atLeast
	for line, err := range trail.Read(s.dir, nil) {
		if err == nil && line.Note() == "epoch" {
			if n, ok := epochNumber(line.Bytes); ok {
				last = max(last, n)
			}
		}
	}
	return last, nil
}

// epochNumber reads the number of an epoch note.
func epochNumber(line []byte) (uint64, bool) {
	_, rest, ok := bytes.Cut(line, []byte(`,"epoch":`))
	end := bytes.IndexByte(rest, ',')
	if !ok || end < 0 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(rest[:end]), 10, 64)
	return n, err == nil
}
