package seal_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/trail"
)

func redactOptions(t testing.TB, key *seal.Key) (*seal.RedactOptions, func(*seal.VerifyOptions)) {
	eraser, err := seal.NewKey(key.Name + "/eraser")
	must(t, err)
	return &seal.RedactOptions{Keys: []*seal.Key{key}, Eraser: eraser},
		func(o *seal.VerifyOptions) { o.Erasers = []string{eraser.VKey()} }
}

// eventIndex returns the index of the trail's nth event.
func eventIndex(t testing.TB, dir string, n int) (uint64, *audit.CallEvent) {
	t.Helper()
	for line, err := range trail.Read(dir, nil) {
		must(t, err)
		if line.Kind() != trail.Event {
			continue
		}
		if n--; n < 0 {
			ev, err := audit.Decode(line.Bytes)
			must(t, err)
			return line.Index, ev
		}
	}
	t.Fatal("there are not so many events")
	return 0, nil
}

func TestErasedLineIsGoneAndTheRestHolds(t *testing.T) {
	ctx := context.Background()
	dir, key := sealedTrail(t, 300, 40_000)
	o, trusted := redactOptions(t, key)
	index, ev := eventIndex(t, dir, 150)
	last, lastEvent := eventIndex(t, dir, 299) // in the open segment
	proof, err := seal.Prove(dir, index)
	must(t, err)
	neighbour, err := seal.Prove(dir, index+1)
	must(t, err)
	anchor, err := os.ReadFile(dir + "/checkpoint")
	must(t, err)

	must(t, seal.Redact(ctx, dir, index, "asked by the customer", o))
	must(t, seal.Redact(ctx, dir, last, "asked by the customer", o))
	if err := seal.Redact(ctx, dir, index, "again", o); !errors.Is(err, seal.ErrErased) {
		t.Errorf("erased twice: %v", err)
	}
	bytesOf(t, dir, func(path string, b []byte) {
		if bytes.Contains(b, []byte(ev.CallID)) || bytes.Contains(b, []byte(lastEvent.CallID)) {
			t.Errorf("%s still names the call", path)
		}
	})
	r := verify(t, dir, key, trusted, func(o *seal.VerifyOptions) { o.Anchors = []seal.Anchor{{Name: "before", Signed: anchor}} })
	if !r.OK || r.Redacted != 2 || r.Anchors != 1 || r.Events != 300 {
		t.Errorf("%+v", r)
	}
	if r := verify(t, dir, key); r.OK || !slices.Contains(kinds(r), seal.KindRedaction) {
		t.Errorf("an eraser that is not trusted has erased: %+v", r.Findings)
	}
	known := note.VerifierList(seal.LogVerifiers([]string{key.VKey()}, key.Name+"/x")...)
	if _, _, err := neighbour.Verify(lineAt(t, dir, index+1), known); err != nil {
		t.Errorf("an older proof does not hold any more: %v", err)
	}
	if _, _, err := proof.Verify(lineAt(t, dir, index), known); err == nil {
		t.Error("the stub passes for the line")
	}

	// The next writer goes on, also when it has to make the tree anew.
	must(t, os.RemoveAll(dir+"/tree"))
	tr, _ := open(t, dir, seal.Options{Keys: []*seal.Key{key}})
	record(t, tr, 5)
	shut(t, tr)
	if r := verify(t, dir, key, trusted); !r.OK || r.Events != 305 {
		t.Errorf("%+v", r)
	}
}

func lineAt(t testing.TB, dir string, index uint64) []byte {
	t.Helper()
	return linesOf(t, dir)[index]
}

func TestErasingIsFinished(t *testing.T) {
	ctx := context.Background()
	dir, key := sealedTrail(t, 100, 10_000)
	o, trusted := redactOptions(t, key)
	index, _ := eventIndex(t, dir, 10)
	var place trail.Line
	for line, err := range trail.Read(dir, &trail.ReadOptions{From: index}) {
		must(t, err)
		place = line
		place.Bytes = bytes.Clone(line.Bytes)
		break
	}
	must(t, seal.Redact(ctx, dir, index, "asked", o))
	// As if the power had gone before the stub was written, or while it was.
	stub := lineAt(t, dir, index)
	for n := range 3 {
		half := slices.Concat(stub[:n*20], place.Bytes[n*20:])
		must(t, os.Chmod(place.Segment, 0o600))
		f, err := os.OpenFile(place.Segment, os.O_WRONLY, 0)
		must(t, err)
		_, err = f.WriteAt(half, place.Offset)
		must(t, err, f.Close())
		r := verify(t, dir, key, trusted)
		if r.OK || !slices.Contains(kinds(r), seal.KindRedactionHalf) {
			t.Errorf("%d bytes of the stub: %+v", n*20, r.Findings)
		}
	}
	f, err := os.OpenFile(place.Segment, os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteAt(place.Bytes, place.Offset)
	must(t, err, f.Close())
	must(t, seal.Redact(ctx, dir, index, "asked", o))
	if r := verify(t, dir, key, trusted); !r.OK || r.Redacted != 1 {
		t.Errorf("%+v", r)
	}
}

func TestWhatCannotBeErased(t *testing.T) {
	ctx := context.Background()
	dir, key := sealedTrail(t, 10, 10_000)
	o, _ := redactOptions(t, key)
	index, ev := eventIndex(t, dir, 3)
	for name, c := range map[string]struct {
		index  uint64
		reason string
		want   error
	}{
		"a note":            {0, "x", seal.ErrNoEvent},
		"no reason":         {index, "", seal.ErrNoReason},
		"two lines":         {index, "a\nb", seal.ErrNoReason},
		"reason names call": {index, "call " + ev.CallID, seal.ErrNoReason},
		"no line":           {1 << 40, "x", nil},
	} {
		err := seal.Redact(ctx, dir, c.index, c.reason, o)
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	tr, _ := open(t, dir, seal.Options{Keys: []*seal.Key{key}})
	defer shut(t, tr)
	var inUse *trail.InUseError
	if err := seal.Redact(ctx, dir, index, "x", o); !errors.As(err, &inUse) {
		t.Errorf("a trail that is written: %v", err)
	}
}
