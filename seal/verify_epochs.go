package seal

import (
	"crypto/ed25519"
	"fmt"

	"golang.org/x/mod/sumdb/note"
)

// checkEpochs holds the notes of epochs, and who signed which checkpoint, to
// the rules of docs/formats/seal.md.
func (v *verification) checkEpochs() {
	v.report.Epochs = len(v.epochs)
	known := map[uint64]epochNote{}
	for i, e := range v.epochs {
		if v.checkHandOver(i, e) {
			known[e.Epoch] = e
		}
	}
	if len(v.epochs) == 0 {
		if v.report.Sealed > 0 && v.report.Pruned == 0 {
			v.says(KindEpochBroken, "no epoch is announced in the trail")
		}
		return
	}
	first := v.epochs[0].Epoch
	last := uint64(0) // epoch of the mark before
	closed := map[uint64]uint64{}
	for _, m := range v.marks {
		if m.epoch < first && v.report.Pruned > 0 {
			continue // its key was pruned
		}
		e, ok := known[m.epoch]
		switch {
		case !ok:
			v.says(KindEpochBroken, "%s is signed by epoch %d, which the trail does not announce", m.what, m.epoch)
			continue
		case !m.signedBy(e.Key):
			v.says(KindEpochBroken, "%s bears a wrong signature of epoch %d", m.what, m.epoch)
			continue
		case m.Size <= e.index:
			v.says(KindEpochBroken, "%s is signed by epoch %d, which began later: old lines were signed with a newer key", m.what, m.epoch)
		}
		if m.anchor {
			continue
		}
		if m.epoch < last || last != 0 && !follows(known, last, m.epoch) {
			v.says(KindEpochBroken, "%s is signed by epoch %d, after one of epoch %d", m.what, m.epoch, last)
		}
		last = m.epoch
		closed[m.epoch] = max(closed[m.epoch], m.Size)
	}
	for i, e := range v.epochs[1:] {
		before := v.epochs[i].Epoch
		if e.By == byEpoch && closed[before] <= e.index {
			v.findLine(KindEpochBroken, e.keptLine, fmt.Sprintf("epoch %d has not sealed its end", before))
		}
	}
}

// follows reports whether a checkpoint of epoch next may follow one of epoch
// last: none in between was left out, but for those whose key was lost before
// it signed anything.
func follows(known map[uint64]epochNote, last, next uint64) bool {
	for n := last + 1; n < next; n++ {
		if known[n+1].By != byRestart {
			return false
		}
	}
	return true
}

// checkHandOver checks a note of an epoch: its number and its signature.
func (v *verification) checkHandOver(i int, e epochNote) bool {
	if i > 0 && e.Epoch != v.epochs[i-1].Epoch+1 || i == 0 && v.report.Pruned == 0 && e.Epoch != 1 {
		v.findLine(KindEpochBroken, e.keptLine, fmt.Sprintf("epoch %d is out of order", e.Epoch))
		return false
	}
	if name, err := VKeyName(e.Key); err != nil || name != epochName(v.report.Origin, e.Epoch) {
		v.findLine(KindEpochBroken, e.keptLine, fmt.Sprintf("the key of epoch %d has another name", e.Epoch))
		return false
	}
	msg := epochMessage(v.report.Origin, e.By, e.Epoch, e.Key)
	ok := false
	switch e.By {
	case byEpoch:
		ok = i == 0 && v.report.Pruned > 0 || i > 0 && signedWith(v.epochs[i-1].Key, msg, e.Sig)
	case byRestart:
		ok = v.signedByLog(msg, e.Sig)
		v.report.Restarts++
		if !v.opts.AllowRestart {
			v.findLine(KindEpochRestart, e.keptLine, fmt.Sprintf("the key of epoch %d was lost, and the log key began epoch %d: who held the log key then could have changed what stands before", e.Epoch-1, e.Epoch))
		}
	case byLog:
		ok = e.Epoch == 1 && v.signedByLog(msg, e.Sig)
	}
	if !ok {
		v.findLine(KindEpochBroken, e.keptLine, fmt.Sprintf("epoch %d is not signed by the one before", e.Epoch))
	}
	return ok
}

// signedWith reports whether a raw Ed25519 signature is that of a vkey's key.
func signedWith(vkey string, msg, sig []byte) bool {
	_, key, err := splitVKey(vkey)
	return err == nil && len(key) == 1+ed25519.PublicKeySize && len(sig) == ed25519.SignatureSize &&
		ed25519.Verify(ed25519.PublicKey(key[1:]), msg, sig)
}

func (v *verification) signedByLog(msg, sig []byte) bool {
	for _, vkey := range v.opts.Keys {
		if signedWith(vkey, msg, sig) {
			return true
		}
	}
	return false
}

// signedBy reports whether the mark bears a good signature of an epoch's key.
func (m *mark) signedBy(vkey string) bool {
	verifier, err := NewVerifier(vkey)
	if err != nil {
		return false
	}
	n, err := note.Open(m.signed, note.VerifierList(verifier))
	return err == nil && len(n.Sigs) == 1
}
