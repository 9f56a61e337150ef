package interop

import (
	"bytes"
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/seal/tiles"
	"github.com/tooltrail/tooltrail/trail"
)

// A sealedTrail is a real trail, written and sealed by packages trail and seal.
type sealedTrail struct {
	dir string
	key *seal.Key
}

// newTrail returns a trail with n events, and the notes that go with them. Two
// trails with the same key have the same origin.
func newTrail(t testing.TB, key *seal.Key, n int) *sealedTrail {
	t.Helper()
	s := &sealedTrail{filepath.Join(t.TempDir(), "filesystem"), key}
	s.record(t, n)
	return s
}

func newKey(t testing.TB) *seal.Key {
	t.Helper()
	key, err := seal.NewKey("example.com/tooltrail")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// record opens the trail, writes n events and closes it.
func (s *sealedTrail) record(t testing.TB, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tr, err := trail.Open(s.dir, &trail.Options{
		MaxBytes: 1 << 20,
		Sealer:   seal.New(&seal.Options{Keys: []*seal.Key{s.key}}),
	})
	if err != nil {
		t.Fatal(err)
	}
	for seq := tr.NextSeq(); n > 0; {
		var b []byte
		k := min(n, 1000)
		for range k {
			ev := audit.CallEvent{Time: time.Now(), CallID: audit.NewCallID(), ToolID: "read_file", Seq: seq, Outcome: audit.Success()}
			b = append(ev.AppendJSON(b), '\n')
			seq++
		}
		if err := tr.Write(ctx, audit.Batch{Bytes: b, Lines: k}); err != nil {
			t.Fatal(err)
		}
		n -= k
	}
	if err := tr.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

// origin is the name of the log, and vkey what others pin.
func (s *sealedTrail) origin() string { return s.key.Name + "/" + filepath.Base(s.dir) }
func (s *sealedTrail) vkey() string   { return s.key.Named(s.origin()).VKey() }

// serve starts the tiles handler on loopback and returns its URL.
func (s *sealedTrail) serve(t testing.TB) string {
	t.Helper()
	srv := httptest.NewServer(tiles.Handler(s.dir, nil))
	t.Cleanup(srv.Close)
	return srv.URL
}

// lines are the trail's lines, by package trail.
func (s *sealedTrail) lines(t testing.TB) [][]byte {
	t.Helper()
	var lines [][]byte
	for line, err := range trail.Read(s.dir, nil) {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, bytes.Clone(line.Bytes))
	}
	return lines
}

// checkpoint is the newest signed checkpoint, and what it says.
func (s *sealedTrail) checkpoint(t testing.TB) ([]byte, seal.Checkpoint) {
	t.Helper()
	signed, err := os.ReadFile(filepath.Join(s.dir, "checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := seal.PeekCheckpoint(signed)
	if err != nil {
		t.Fatal(err)
	}
	if c.Origin != s.origin() {
		t.Fatalf("origin %q, want %q", c.Origin, s.origin())
	}
	return signed, c
}

// tree opens the trail's tree.
func (s *sealedTrail) tree(t testing.TB) *seal.Tree {
	t.Helper()
	tree, err := seal.OpenTree(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tree.Close() })
	return tree
}

// consistency proves that the trail of size old is the beginning of the one of
// size now.
func (s *sealedTrail) consistency(t testing.TB, now, old uint64) tlog.TreeProof {
	t.Helper()
	if old == 0 {
		return nil
	}
	p, err := tlog.ProveTree(int64(now), int64(old), s.tree(t))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// tamper changes one letter in a line in the middle of the trail.
func (s *sealedTrail) tamper(t testing.TB) {
	t.Helper()
	segs, err := trail.Segments(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	path := segs[len(segs)/2].Path
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.LastIndex(b, []byte("read_file"))
	if at < 0 {
		t.Fatal("no event to change")
	}
	b[at] = 'h'
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
