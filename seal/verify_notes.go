package seal

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/tooltrail/tooltrail/trail"
)

// An epochNote announces the key of an epoch.
type epochNote struct {
	keptLine
	Epoch uint64 `json:"epoch"`
	Key   string `json:"key"`
	By    string `json:"by"`
	Sig   []byte `json:"sig"`
}

// A redaction is a note that orders a line to be erased.
type redaction struct {
	Index  uint64 `json:"index"`
	Leaf   string `json:"leaf"`
	Seq    uint64 `json:"event_seq"`
	Bytes  int    `json:"bytes"`
	Reason string `json:"reason"`
	Key    string `json:"key"`
	Sig    []byte `json:"sig"`
}

// message is what the eraser signs.
func (r *redaction) message(origin string) []byte {
	return fmt.Appendf(nil, "tooltrail/redact/v1\n%s\n%d\n%s\n%d\n%d\n%s\n", origin, r.Index, r.Leaf, r.Seq, r.Bytes, r.Reason)
}

// stub is what stands in the place of the erased line.
func (r *redaction) stub() []byte {
	b := fmt.Appendf(nil, `{"redacted":"%s","seq":%d`, r.Leaf, r.Seq)
	for len(b) < r.Bytes-1 {
		b = append(b, ' ')
	}
	return append(b, '}')
}

// readNotes takes from the sealed notes what verification needs.
func (v *verification) readNotes() {
	v.redactions = map[uint64]redaction{}
	for p, n := range v.sealedNotes() {
		switch (trail.Line{Bytes: n.line}).Note() {
		case "epoch":
			e := epochNote{keptLine: n}
			if json.Unmarshal(n.line, &e) == nil {
				v.epochs = append(v.epochs, e)
			}
		case "redact":
			var r redaction
			if json.Unmarshal(n.line, &r) == nil && v.mayErase(&r) {
				v.redactions[r.Index] = r
			}
		case "accepted":
			var r Range
			if json.Unmarshal(n.line, &r) == nil && r.First < r.Next {
				v.accepted = append(v.accepted, r)
			}
		case "stop":
			v.checkStop(p, n)
		}
	}
	v.report.Accepted = v.accepted
}

// sealedNotes returns the notes that the newest checkpoint covers, in order.
func (v *verification) sealedNotes() func(func(*part, keptLine) bool) {
	return func(yield func(*part, keptLine) bool) {
		for _, p := range v.parts {
			for _, n := range p.notes {
				if n.index < v.report.Sealed && !yield(p, n) {
					return
				}
			}
		}
	}
}

// mayErase reports whether an eraser that is trusted has signed the order.
func (v *verification) mayErase(r *redaction) bool {
	if !slices.Contains(v.opts.Erasers, r.Key) {
		return false
	}
	_, key, err := splitVKey(r.Key)
	return err == nil && len(key) == 1+ed25519.PublicKeySize && len(r.Sig) == ed25519.SignatureSize &&
		ed25519.Verify(ed25519.PublicKey(key[1:]), r.message(v.report.Origin), r.Sig)
}

// checkStubs looks at every stub: it must be the one that was ordered.
func (v *verification) checkStubs() {
	erased := map[uint64]bool{}
	for _, p := range v.parts {
		for _, s := range p.stubs {
			erased[s.index] = true
			r, ok := v.redactions[s.index]
			switch {
			case s.index >= v.report.Sealed || !ok:
				v.findLine(KindRedaction, s, "the line was erased, and no eraser that is trusted has ordered it")
			case string(r.stub()) != string(s.line):
				v.findLine(KindRedaction, s, "the line was erased, and its stub is not the one that was ordered")
			default:
				v.report.Redacted++
			}
		}
	}
	v.checkErased(erased)
}

// checkErased looks for orders that were not carried out.
func (v *verification) checkErased(erased map[uint64]bool) {
	for _, index := range slices.Sorted(maps.Keys(v.redactions)) {
		named := slices.ContainsFunc(v.report.Findings, func(f Finding) bool { return f.Kind == KindRedactionHalf && f.Line == index })
		for _, p := range v.parts {
			if p.seg.First <= index && index < p.rng.end && !erased[index] && !named {
				v.find(Finding{Kind: KindRedactionHalf, Segment: p.name(), Line: index, InFile: index - p.seg.First + 1,
					Offset: offsetOf(p.seg, index), Count: 1, Says: "the line was to be erased, and is still there: erase it again"})
			}
		}
	}
}

func (v *verification) findLine(kind Kind, at keptLine, says string) {
	v.find(Finding{Kind: kind, Segment: at.part.name(), Line: at.index, InFile: at.number, Offset: at.off, Count: 1, Says: says})
}

// checkStop looks at what follows a stop note: the next writer's first lines.
func (v *verification) checkStop(p *part, stop keptLine) {
	next := stop.index + 1
	if next == v.report.Sealed {
		v.report.Stopped = true
	}
	if next >= v.end() {
		return
	}
	for _, q := range v.parts {
		for _, n := range q.notes {
			if n.index != next {
				continue
			}
			switch (trail.Line{Bytes: n.line}).Note() {
			case "start", "recovered", "degraded", "replaced", "clock_step":
				return
			}
		}
	}
	v.find(Finding{Kind: KindAfterStop, Segment: p.name(), Line: next,
		Says: "the line behind a stop note is not one that a writer begins with"})
}

// end returns the index behind the last line that is there.
func (v *verification) end() uint64 {
	if len(v.parts) == 0 {
		return 0
	}
	return v.parts[len(v.parts)-1].rng.end
}

// checkEnds looks at what a writer that stopped leaves behind.
func (v *verification) checkEnds() {
	v.report.Lines = v.end()
	v.report.Unsealed = max(v.report.Lines, v.report.Sealed) - v.report.Sealed
	if !v.report.Stopped || v.report.Unsealed > 0 {
		return
	}
	if last := v.parts[len(v.parts)-1]; last.torn {
		v.find(Finding{Kind: KindTorn, Segment: last.name(), Line: last.rng.end, InFile: last.lines + 1, Offset: last.size,
			Says: "there are bytes behind the stop note, which end in no line"})
	}
	if len(bytes.Trim(v.newest, "\x00")) == 0 {
		v.says(KindNoCheckpoint, "the newest checkpoint is gone: the file %s is missing or empty", checkpointName)
	}
	if v.historyTorn || v.historyLast != v.report.Sealed {
		v.says(KindHistoryDamaged, "%s does not end with the checkpoint that was signed when the trail was closed", historyName)
	}
}
