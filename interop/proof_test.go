package interop

import (
	"errors"
	"testing"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tooltrail/tooltrail/seal"
)

// logPolicy is what pins the log alone.
func logPolicy(t testing.TB, vkey string) torchwood.Policy {
	t.Helper()
	p, err := torchwood.ParsePolicy([]byte("log " + vkey + "\nquorum none\n"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func prove(t testing.TB, s *sealedTrail, index uint64) *seal.Proof {
	t.Helper()
	p, err := seal.Prove(s.dir, index)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTorchwoodAcceptsOurProofs(t *testing.T) {
	s := newTrail(t, newKey(t), 3000)
	lines := s.lines(t)
	policy := logPolicy(t, s.vkey())
	for i := 0; i < len(lines); i += 97 {
		text := []byte(prove(t, s, uint64(i)).String())
		if err := torchwood.VerifyProof(policy, tlog.RecordHash(lines[i]), text); err != nil {
			t.Fatalf("line %d: %v\n%s", i, err, text)
		}
		var wrong *torchwood.VerifyRecordError
		if err := torchwood.VerifyProof(policy, tlog.RecordHash(lines[i+1]), text); !errors.As(err, &wrong) {
			t.Fatalf("line %d, proved by the proof of the one before: %v", i+1, err)
		}
	}
}

func TestTorchwoodRefusesOurProofsWithAnotherKey(t *testing.T) {
	s := newTrail(t, newKey(t), 10)
	policy := logPolicy(t, newKey(t).Named(s.origin()).VKey())
	text := []byte(prove(t, s, 3).String())
	var unverified *note.UnverifiedNoteError
	if err := torchwood.VerifyProof(policy, tlog.RecordHash(s.lines(t)[3]), text); !errors.As(err, &unverified) {
		t.Errorf("%v", err)
	}
}

func TestTorchwoodsProofsAreOurs(t *testing.T) {
	s := newTrail(t, newKey(t), 1000)
	signed, c := s.checkpoint(t)
	hashes, err := tlog.ProveRecord(int64(c.Size), 500, s.tree(t))
	if err != nil {
		t.Fatal(err)
	}
	p, err := seal.ParseProof(torchwood.FormatProof(500, hashes, signed))
	if err != nil {
		t.Fatal(err)
	}
	v, err := seal.NewVerifier(s.vkey())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.Verify(s.lines(t)[500], note.VerifierList(v)); err != nil {
		t.Error(err)
	}
	if got, want := prove(t, s, 500).String(), string(torchwood.FormatProof(500, hashes, signed)); got != want {
		t.Errorf("ours:\n%s\ntorchwood's:\n%s", got, want)
	}
}
