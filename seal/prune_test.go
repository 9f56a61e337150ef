package seal_test

import (
	"os"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/trail"
)

func TestPrunedTrailGoesOnAndVerifies(t *testing.T) {
	dir := t.TempDir() + "/x"
	key := newKey(t)
	keep := trail.Options{MaxBytes: 20_000, KeepBytes: 60_000}
	for range 5 {
		tr, _ := open(t, dir, seal.Options{Keys: []*seal.Key{key}, EpochEvery: 1}, keep)
		record(t, tr, 200)
		shut(t, tr)
	}
	tr, _ := open(t, dir, seal.Options{Keys: []*seal.Key{key}}, keep)
	waitFor(t, func() bool { segs, err := trail.Segments(dir); return err == nil && segs[0].First > 0 })
	shut(t, tr)
	segs, err := trail.Segments(dir)
	must(t, err)
	r := verify(t, dir, key)
	if !r.OK || r.Pruned != segs[0].First {
		t.Fatalf("%d lines were pruned: %+v", segs[0].First, r)
	}

	// A line that was kept is proved.
	p, err := seal.Prove(dir, segs[0].First+3)
	must(t, err)
	known := note.VerifierList(seal.LogVerifiers([]string{key.VKey()}, key.Name+"/x")...)
	if _, _, err := p.Verify(linesOf(t, dir)[3], known); err != nil {
		t.Error(err)
	}

	// More is gone than the note says.
	must(t, os.Remove(segs[0].Path))
	if r := verify(t, dir, key); r.OK || !slices.Contains(kinds(r), seal.KindPruneUndeclared) {
		t.Errorf("%+v", r.Findings)
	}
}

func TestLostTreeOfAPrunedTrailIsRefused(t *testing.T) {
	dir := t.TempDir() + "/x"
	key := newKey(t)
	keep := trail.Options{MaxBytes: 20_000, KeepBytes: 60_000}
	tr, _ := open(t, dir, seal.Options{Keys: []*seal.Key{key}}, keep)
	record(t, tr, 500)
	waitFor(t, func() bool { segs, err := trail.Segments(dir); return err == nil && segs[0].First > 0 })
	shut(t, tr)
	must(t, os.RemoveAll(dir+"/tree"))
	if _, err := trail.Open(dir, &trail.Options{Sealer: seal.New(&seal.Options{Keys: []*seal.Key{key}})}); err == nil {
		t.Error("a trail goes on whose hashes cannot be had any more")
	}
}
