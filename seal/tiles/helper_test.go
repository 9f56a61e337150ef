package tiles_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/seal/tiles"
	"github.com/tooltrail/tooltrail/trail"
)

// A log is a sealed trail of many small segments.
type log struct {
	dir   string
	key   *seal.Key
	trail *trail.Trail
}

func open(t testing.TB, dir string, key *seal.Key) *log {
	t.Helper()
	if key == nil {
		var err error
		if key, err = seal.NewKey("tooltrail/test"); err != nil {
			t.Fatal(err)
		}
	}
	tr, err := trail.Open(dir, &trail.Options{
		MaxBytes: 20_000,
		Sealer:   seal.New(&seal.Options{Keys: []*seal.Key{key}}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return &log{dir, key, tr}
}

// sealed returns a closed trail with n events.
func sealed(t testing.TB, n int) *log {
	t.Helper()
	l := open(t, filepath.Join(t.TempDir(), "x"), nil)
	l.record(t, n)
	l.close(t)
	return l
}

func (l *log) record(t testing.TB, n int) {
	t.Helper()
	seq := l.trail.NextSeq()
	for n > 0 {
		var b []byte
		k := min(n, 37)
		for range k {
			ev := audit.CallEvent{Time: time.Unix(1, 0), CallID: audit.NewCallID(), ToolID: "x", Seq: seq, Outcome: audit.Success()}
			b = append(ev.AppendJSON(b), '\n')
			seq++
		}
		if err := l.trail.Write(context.Background(), audit.Batch{Bytes: b, Lines: k}); err != nil {
			t.Fatal(err)
		}
		n -= k
	}
}

func (l *log) close(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := l.trail.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

// lines returns what the trail holds, by package trail.
func (l *log) lines(t testing.TB) [][]byte {
	t.Helper()
	var lines [][]byte
	for line, err := range trail.Read(l.dir, nil) {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, bytes.Clone(line.Bytes))
	}
	return lines
}

func (l *log) checkpoint(t testing.TB) (signed []byte, c seal.Checkpoint) {
	t.Helper()
	signed, err := os.ReadFile(filepath.Join(l.dir, "checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	if c, err = seal.PeekCheckpoint(signed); err != nil {
		t.Fatal(err)
	}
	return signed, c
}

// serve starts a server on loopback and returns what asks it.
func serve(t testing.TB, dir string, o *tiles.Options) (ask func(method, path string) (*http.Response, []byte)) {
	t.Helper()
	srv := httptest.NewServer(http.StripPrefix("/log", tiles.Handler(dir, o)))
	t.Cleanup(srv.Close)
	return func(method, path string) (*http.Response, []byte) {
		req, err := http.NewRequest(method, srv.URL+"/log"+path, nil)
		if err != nil {
			t.Error(err)
			return &http.Response{}, nil
		}
		resp, err := srv.Client().Do(req)
		if err != nil {
			t.Error(err)
			return &http.Response{}, nil
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Error(err)
		}
		return resp, b
	}
}
