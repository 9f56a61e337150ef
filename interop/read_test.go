package interop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	"filippo.io/torchwood"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
)

// manyLines makes a tree of three levels of tiles.
const manyLines = 70_000

// readAll reads a log with torchwood, which checks every entry against the
// tree, and the tree against a checkpoint with the signature of vkey.
func readAll(ctx context.Context, base, origin, vkey string) (entries [][]byte, err error) {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, err
	}
	tf, err := torchwood.NewTileFetcher(base)
	if err != nil {
		return nil, err
	}
	signed, err := tf.ReadEndpoint(ctx, "checkpoint")
	if err != nil {
		return nil, err
	}
	policy := torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(origin), torchwood.SingleVerifierPolicy(v))
	c, _, err := torchwood.VerifyCheckpoint(signed, policy)
	if err != nil {
		return nil, err
	}
	cl, err := torchwood.NewClient(tf)
	if err != nil {
		return nil, err
	}
	for i, entry := range cl.AllEntries(ctx, c.Tree, 0) {
		if i != int64(len(entries)) {
			return nil, fmt.Errorf("entry %d after %d entries", i, len(entries))
		}
		entries = append(entries, bytes.Clone(entry))
	}
	if err := cl.Err(); err != nil {
		return nil, err
	}
	if int64(len(entries)) != c.N {
		return nil, fmt.Errorf("%d of %d entries", len(entries), c.N)
	}
	return entries, nil
}

// check runs Tessera's fsck, which makes the whole tree anew from the entries.
func check(ctx context.Context, base, origin, vkey string) error {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return err
	}
	u, err := url.Parse(base)
	if err != nil {
		return err
	}
	fetcher, err := client.NewHTTPFetcher(u, nil)
	if err != nil {
		return err
	}
	hashes := func(bundle []byte) ([][]byte, error) {
		var b api.EntryBundle
		if err := b.UnmarshalText(bundle); err != nil {
			return nil, err
		}
		var hashes [][]byte
		for _, e := range b.Entries {
			hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(e))
		}
		return hashes, nil
	}
	return fsck.New(origin, v, fetcher, hashes, fsck.Opts{N: 2}).Check(ctx)
}

func TestTorchwoodReadsAndVerifiesEveryLine(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	key := newKey(t)
	for _, n := range []int{1, 253, 254, 1000, manyLines} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := newTrail(t, key, n)
			entries, err := readAll(ctx, s.serve(t), s.origin(), s.vkey())
			if err != nil {
				t.Fatal(err)
			}
			lines := s.lines(t)
			if len(entries) != len(lines) || len(lines) <= n {
				t.Fatalf("%d of %d lines", len(entries), len(lines))
			}
			for i := range lines {
				if !bytes.Equal(entries[i], lines[i]) {
					t.Fatalf("line %d: %q", i, entries[i])
				}
			}
		})
	}
}

func TestTesseraFsckFindsNothing(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	key := newKey(t)
	for _, n := range []int{1, 253, 254, 1000, manyLines} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := newTrail(t, key, n)
			if err := check(ctx, s.serve(t), s.origin(), s.vkey()); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// What the tools accept they also refuse where it is wrong.
func TestToolsRefuseAChangedLineAndAnotherKey(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s := newTrail(t, newKey(t), 5000)
	base := s.serve(t)
	other := newKey(t).Named(s.origin()).VKey()
	var unverified *note.UnverifiedNoteError
	if _, err := readAll(ctx, base, s.origin(), other); !errors.As(err, &unverified) {
		t.Errorf("torchwood, with another key: %v", err)
	}
	if err := check(ctx, base, s.origin(), other); err == nil {
		t.Error("fsck, with another key: no error")
	}
	s.tamper(t)
	if _, err := readAll(ctx, base, s.origin(), s.vkey()); err == nil {
		t.Error("torchwood, after a change: no error")
	}
	if err := check(ctx, base, s.origin(), s.vkey()); err == nil {
		t.Error("fsck, after a change: no error")
	}
}
