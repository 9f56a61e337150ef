package seal_test

import (
	"errors"
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tooltrail/tooltrail/seal"
)

func TestProofsHoldForTheirLinesOnly(t *testing.T) {
	dir, key := sealedTrail(t, 700, 40_000)
	lines := linesOf(t, dir)
	known := note.VerifierList(seal.LogVerifiers([]string{key.VKey()}, key.Name+"/x")...)
	for i := 0; i < len(lines); i += 37 {
		p, err := seal.Prove(dir, uint64(i))
		must(t, err)
		parsed, err := seal.ParseProof([]byte(p.String()))
		must(t, err)
		if parsed.String() != p.String() {
			t.Fatal("the text of a proof changes when it is read")
		}
		c, _, err := parsed.Verify(lines[i], known)
		if err != nil || int(c.Size) != len(lines) {
			t.Fatalf("line %d: %v, %v", i, c, err)
		}
		if _, _, err := parsed.Verify(lines[(i+1)%len(lines)], known); !errors.Is(err, seal.ErrProof) {
			t.Fatalf("the proof of line %d holds for another: %v", i, err)
		}
		parsed.Index++
		if _, _, err := parsed.Verify(lines[i], known); err == nil {
			t.Fatalf("the proof of line %d holds for another index", i)
		}
	}
	if _, err := seal.Prove(dir, uint64(len(lines))); !errors.Is(err, seal.ErrNotSealed) {
		t.Errorf("a line that is not there is proved: %v", err)
	}
	other, err := seal.NewKey(key.Name)
	must(t, err)
	p, err := seal.Prove(dir, 3)
	must(t, err)
	stranger := note.VerifierList(seal.LogVerifiers([]string{other.VKey()}, key.Name+"/x")...)
	if _, _, err := p.Verify(lines[3], stranger); err == nil {
		t.Error("a proof holds with another key")
	}
}

func TestProofIsSmall(t *testing.T) {
	dir, _ := sealedTrail(t, 10, 40_000)
	p, err := seal.Prove(dir, 3)
	must(t, err)
	p.Index, p.Hashes = 999_999_999, make(tlog.RecordProof, 30) // 10^9 lines
	if n := len(p.String()); n > 2048 {
		t.Errorf("a proof among 10^9 lines has %d bytes", n)
	}
}

func FuzzParseProof(f *testing.F) {
	dir, _ := sealedTrail(f, 10, 40_000)
	p, err := seal.Prove(dir, 3)
	must(f, err)
	f.Add([]byte(p.String()))
	f.Add([]byte("c2sp.org/tlog-proof@v1\nextra AA==\nindex 0\n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := seal.ParseProof(text)
		if err != nil {
			return
		}
		again, err := seal.ParseProof([]byte(p.String()))
		if err != nil || fmt.Sprint(again) != fmt.Sprint(p) {
			t.Errorf("%q: %v", text, err)
		}
	})
}
