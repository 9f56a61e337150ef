package seal_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/seal"
)

func TestLostEpochKeysAreReported(t *testing.T) {
	dir, key := filepath.Join(t.TempDir(), "x"), newKey(t)
	for range 4 {
		tr, _ := open(t, dir, seal.Options{Keys: []*seal.Key{key}, EpochEvery: time.Nanosecond})
		record(t, tr, 10)
		shut(t, tr)
		must(t, os.Remove(filepath.Join(dir, "state", "epoch.key")))
	}
	r := verify(t, dir, key)
	if r.OK || r.Restarts != 3 || slices.ContainsFunc(r.Findings, func(f seal.Finding) bool { return f.Kind != seal.KindEpochRestart }) {
		t.Errorf("%+v", r)
	}
	if r := verify(t, dir, key, func(o *seal.VerifyOptions) { o.AllowRestart = true }); !r.OK {
		t.Errorf("%+v", r)
	}
}

func TestHistoryThatAPowerCutHarmedIsNoObstacle(t *testing.T) {
	dir, key := sealedTrail(t, 50, 40_000)
	path := filepath.Join(dir, "checkpoints.jsonl")
	b, err := os.ReadFile(path)
	must(t, err)
	for i := range len(b) - 1 {
		b[i] = 0
	}
	must(t, os.WriteFile(path, b, 0o600))
	tr, _ := open(t, dir, seal.Options{Keys: []*seal.Key{key}})
	shut(t, tr)
	if r := verify(t, dir, key); r.OK || !slices.Contains(kinds(r), seal.KindHistoryDamaged) {
		t.Errorf("%+v", r)
	}
}
