//go:build unix

package interop

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/seal/witness"
)

// add sends a checkpoint to the witness, as c2sp.org/tlog-witness has it.
func (w *litewitness) add(t *testing.T, old uint64, proof tlog.TreeProof, signed []byte) (status int, contentType, body string) {
	t.Helper()
	var req bytes.Buffer
	fmt.Fprintf(&req, "old %d\n", old)
	for _, h := range proof {
		fmt.Fprintf(&req, "%s\n", h)
	}
	fmt.Fprintf(&req, "\n%s", signed)
	client := http.Client{Timeout: 10 * time.Second}
	resp, err := client.Post(w.url+"/add-checkpoint", "text/plain", &req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Content-Type"), string(b)
}

// cosign wants the witness to accept, and returns the checkpoint with the
// cosignature, which it verifies.
func (w *litewitness) cosign(t *testing.T, old uint64, proof tlog.TreeProof, signed []byte) []byte {
	t.Helper()
	c, err := witness.NewClient(w.url, w.vkey, nil)
	if err != nil {
		t.Fatal(err)
	}
	line, err := c.Submit(t.Context(), signed, old, proof)
	if err != nil {
		t.Fatalf("from %d: %v", old, err)
	}
	cosigned := slices.Concat(signed, []byte(line))
	v, err := seal.NewVerifier(w.vkey)
	if err != nil {
		t.Fatal(err)
	}
	_, n, err := seal.OpenCheckpoint(cosigned, note.VerifierList(v))
	if err != nil {
		t.Fatalf("%v\n%s", err, cosigned)
	}
	at, err := seal.CosignatureTime(n.Sigs[0])
	if since := time.Since(at); err != nil || since < -time.Minute || since > time.Minute {
		t.Fatalf("cosigned at %v, %v", at, err)
	}
	return cosigned
}

func TestLitewitness(t *testing.T) {
	key := newKey(t)
	s := newTrail(t, key, 1000)
	w := startWitness(t, s.origin(), s.vkey())

	first, c1 := s.checkpoint(t)
	cosigned1 := w.cosign(t, 0, nil, first)
	s.record(t, 2000)
	second, c2 := s.checkpoint(t)
	cosigned2 := w.cosign(t, c1.Size, s.consistency(t, c2.Size, c1.Size), second)
	w.cosign(t, c2.Size, nil, second) // again, at a later time

	t.Run("proof with its cosignature", func(t *testing.T) {
		policy, err := torchwood.ParsePolicy(fmt.Appendf(nil,
			"log %s\nwitness w1 %s\nquorum w1\n", s.vkey(), w.vkey))
		if err != nil {
			t.Fatal(err)
		}
		p := prove(t, s, 1234)
		line := tlog.RecordHash(s.lines(t)[1234])
		if err := torchwood.VerifyProof(policy, line, []byte(p.String())); err == nil {
			t.Error("accepted without a cosignature")
		}
		p.Checkpoint = cosigned2
		if err := torchwood.VerifyProof(policy, line, []byte(p.String())); err != nil {
			t.Errorf("%v\n%s", err, p)
		}
		p.Checkpoint = cosigned1
		if err := torchwood.VerifyProof(policy, line, []byte(p.String())); err == nil {
			t.Error("accepted with the checkpoint of another size")
		}
	})

	t.Run("rollback", func(t *testing.T) {
		status, contentType, body := w.add(t, 0, nil, first)
		if status != http.StatusConflict || contentType != "text/x.tlog.size" || body != fmt.Sprintf("%d\n", c2.Size) {
			t.Errorf("an older checkpoint: %d %s %s", status, contentType, body)
		}
		status, _, body = w.add(t, c1.Size, nil, first)
		if status != http.StatusConflict || body != fmt.Sprintf("%d\n", c2.Size) {
			t.Errorf("an older checkpoint, again: %d %s", status, body)
		}
	})

	t.Run("fork", func(t *testing.T) {
		fork := newTrail(t, key, 1000)
		fork.record(t, 2000) // as long as the trail
		signed, c := fork.checkpoint(t)
		if c.Size != c2.Size || c.Root == c2.Root || c.Origin != c2.Origin {
			t.Fatalf("no fork: %v of %v", c, c2)
		}
		if status, _, body := w.add(t, c2.Size, nil, signed); status != http.StatusUnprocessableEntity {
			t.Errorf("another tree of the same size: %d %s", status, body)
		}
		fork.record(t, 500)
		signed, c = fork.checkpoint(t)
		if status, _, body := w.add(t, c2.Size, fork.consistency(t, c.Size, c2.Size), signed); status != http.StatusUnprocessableEntity {
			t.Errorf("a longer tree that does not hold the cosigned one: %d %s", status, body)
		}
		if status, _, body := w.add(t, c1.Size, fork.consistency(t, c.Size, c1.Size), signed); status != http.StatusConflict {
			t.Errorf("a fork from before the cosigned one: %d %s", status, body)
		}
	})

	t.Run("stranger", func(t *testing.T) {
		other := newTrail(t, newKey(t), 10) // the same origin, another key
		signed, _ := other.checkpoint(t)
		if status, _, body := w.add(t, 0, nil, signed); status != http.StatusForbidden {
			t.Errorf("another key: %d %s", status, body)
		}
		unknown := newTrail(t, key.Named("example.com/elsewhere"), 10)
		signed, _ = unknown.checkpoint(t)
		if status, _, body := w.add(t, 0, nil, signed); status != http.StatusNotFound {
			t.Errorf("an unknown log: %d %s", status, body)
		}
	})

	// The refusals changed nothing: the trail goes on.
	s.record(t, 100)
	third, c3 := s.checkpoint(t)
	w.cosign(t, c2.Size, s.consistency(t, c3.Size, c2.Size), third)
}

// Both sides derive the same key from the same bytes, and verify each other's
// cosignatures.
func TestCosignaturesAreTorchwoods(t *testing.T) {
	key := newKey(t)
	const text = "example.com/log\n1\nn4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=\n"
	theirs, err := torchwood.NewCosignatureSigner(witnessName, key.Private())
	if err != nil {
		t.Fatal(err)
	}
	ours, err := seal.NewCosigner(witnessName, key.Private(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	vkey := seal.CosignatureVKey(witnessName, key.Private().Public().(ed25519.PublicKey))
	if got := theirs.Verifier().String(); got != vkey {
		t.Fatalf("ours %s, torchwood's %s", vkey, got)
	}
	verifier, err := seal.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	for who, c := range map[string]struct {
		by       note.Signer
		verifier note.Verifier
	}{"ours": {ours, theirs.Verifier()}, "torchwood's": {theirs, verifier}} {
		signed, err := note.Sign(&note.Note{Text: text}, c.by)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := note.Open(signed, note.VerifierList(c.verifier)); err != nil {
			t.Errorf("%s is refused: %v", who, err)
		}
	}
}
