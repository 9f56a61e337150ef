package witness_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/seal/witness"
	"github.com/tooltrail/tooltrail/trail"
)

func TestTrailIsWitnessed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "x")
	key, err := seal.NewKey("tooltrail/test")
	if err != nil {
		t.Fatal(err)
	}
	s := seal.New(&seal.Options{Keys: []*seal.Key{key}, Every: time.Millisecond})
	tr, err := trail.Open(dir, &trail.Options{Sealer: s, SyncEvery: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	// The witness is away at first: its address is taken and answers nothing.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String()
	l.Close()
	wkey := witnessKey(t)
	p, err := witness.ParsePolicy([]byte("log " + key.VKey() + "\nwitness w1 " + wkey.CosignerVKey() + " " + url + "\nquorum w1\n"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := witness.StartAnchor(witness.Log{Dir: dir, Keep: s.Anchored, Note: tr.Note}, p, &witness.AnchorOptions{Every: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return len(a.Stats().Failing) == 1 })

	w, err := witness.New(t.TempDir(), wkey, &witness.Options{Logs: []string{key.VKey()}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	server := &httptest.Server{Config: &http.Server{Handler: w}}
	if server.Listener, err = net.Listen("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	server.Start()
	defer server.Close()
	until(t, func() bool { return a.Stats().Size > 0 && len(a.Stats().Failing) == 0 })
	size := a.Stats().Size
	if err := tr.Note("alive"); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return a.Stats().Size > size })
	a.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := tr.Close(ctx); err != nil {
		t.Fatal(err)
	}

	proof, err := seal.Prove(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, have, err := p.Check(proof.Checkpoint); err != nil || len(have) != 1 || time.Since(have[0].Time) > time.Minute {
		t.Errorf("the proof's checkpoint is not witnessed: %v, %v", have, err)
	}
	notes := ""
	for line, err := range trail.Read(dir, nil) {
		if err != nil {
			t.Fatal(err)
		}
		if line.Note() == "witness" {
			notes += string(line.Bytes)
		}
	}
	if strings.Count(notes, "failing") != 1 || strings.Count(notes, "restored") != 1 {
		t.Errorf("notes: %s", notes)
	}
	r, err := seal.Verify(context.Background(), dir, &seal.VerifyOptions{Keys: []string{key.VKey()}})
	if err != nil || !r.OK {
		t.Errorf("%+v, %v", r, err)
	}
}

func until(t *testing.T, done func() bool) {
	t.Helper()
	for range 2000 {
		if done() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("it did not come to that within ten seconds")
}
