package witness_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/seal/witness"
)

// A testLog is a log in memory.
type testLog struct {
	t      testing.TB
	key    *seal.Key
	hashes []tlog.Hash
	size   int64
}

func newLog(t testing.TB, seed string) *testLog {
	key, err := seal.NewKey("tooltrail/test/x")
	if err != nil {
		t.Fatal(err)
	}
	return &testLog{t: t, key: key}
}

func (l *testLog) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = l.hashes[x]
	}
	return out, nil
}

func (l *testLog) grow(n int, word string) *testLog {
	for range n {
		h, err := tlog.StoredHashes(l.size, fmt.Appendf(nil, "%s %d", word, l.size), l)
		if err != nil {
			l.t.Fatal(err)
		}
		l.hashes = append(l.hashes, h...)
		l.size++
	}
	return l
}

// fork returns a log with the same key and other lines behind size.
func (l *testLog) fork(size int64) *testLog {
	return &testLog{t: l.t, key: l.key, hashes: bytesClone(l.hashes[:tlog.StoredHashCount(size)]), size: size}
}

func bytesClone(h []tlog.Hash) []tlog.Hash { return append([]tlog.Hash(nil), h...) }

func (l *testLog) checkpoint() []byte {
	root, err := tlog.TreeHash(l.size, l)
	if err != nil {
		l.t.Fatal(err)
	}
	c := seal.Checkpoint{Origin: l.key.Name, Size: uint64(l.size), Root: root}
	signed, err := note.Sign(&note.Note{Text: c.String()}, l.key.Signer())
	if err != nil {
		l.t.Fatal(err)
	}
	return signed
}

func (l *testLog) proof(old int64) tlog.TreeProof {
	if old == 0 {
		return nil
	}
	p, err := tlog.ProveTree(l.size, old, l)
	if err != nil {
		l.t.Fatal(err)
	}
	return p
}

// serve starts a witness for the logs on loopback.
func serve(t testing.TB, dir string, key *seal.Key, logs ...string) (*witness.Client, *httptest.Server) {
	t.Helper()
	w, err := witness.New(dir, key, &witness.Options{Logs: logs})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(w)
	t.Cleanup(func() { s.Close(); w.Close() })
	c, err := witness.NewClient(s.URL, w.VKey(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c, s
}

func witnessKey(t testing.TB) *seal.Key {
	key, err := seal.NewKey("witness.example/w1")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func status(err error) string {
	var conflict *witness.ConflictError
	var refused *witness.RefusedError
	switch {
	case err == nil:
		return "cosigned"
	case errors.As(err, &conflict):
		return fmt.Sprint("409, ", conflict.Size)
	case errors.As(err, &refused):
		return fmt.Sprint(refused.Status)
	}
	return err.Error()
}

func TestWitnessSignsOneHistory(t *testing.T) {
	ctx, dir, key := context.Background(), t.TempDir(), witnessKey(t)
	log := newLog(t, "a").grow(10, "x")
	c, s := serve(t, dir, key, log.key.VKey())
	submit := func(what, want string, l *testLog, old int64, proof tlog.TreeProof) {
		t.Helper()
		line, err := c.Submit(ctx, l.checkpoint(), uint64(old), proof)
		if got := status(err); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
		if err != nil {
			return
		}
		v, err := seal.NewVerifier(key.CosignerVKey())
		if err != nil {
			t.Fatal(err)
		}
		if n, err := note.Open(append(l.checkpoint(), line...), note.VerifierList(v)); err != nil || len(n.Sigs) != 1 {
			t.Errorf("%s: the cosignature does not verify: %v", what, err)
		}
	}
	submit("first", "cosigned", log, 0, nil)
	submit("first again", "409, 10", log, 0, nil)
	submit("the same", "cosigned", log, 10, nil)
	early := log.fork(5)
	log.grow(7, "x")
	submit("growth", "cosigned", log, 10, log.proof(10))
	submit("growth without proof", "422", log.grow(1, "x"), 17, nil)
	submit("growth with another proof", "422", log, 17, log.proof(9))
	submit("rollback", "409, 17", early, 5, nil)
	submit("an old size behind the new one", "400", early, 17, nil)
	submit("fork of the same size", "422", early.fork(5).grow(12, "y"), 17, nil)
	longer := early.fork(5).grow(30, "y")
	submit("longer fork", "422", longer, 17, longer.proof(17))
	stranger := newLog(t, "b").grow(20, "x")
	submit("wrong key", "403", stranger, 17, stranger.proof(17))
	other := newLog(t, "c").grow(3, "x")
	other.key = other.key.Named("tooltrail/other/x")
	submit("unknown log", "404", other, 0, nil)
	s.Close()

	if _, err := witness.New(dir, key, &witness.Options{}); err == nil {
		t.Error("two witnesses share a directory")
	}
}

func TestWitnessRemembersOverARestart(t *testing.T) {
	ctx, dir, key := context.Background(), t.TempDir(), witnessKey(t)
	log := newLog(t, "a").grow(10, "x")
	for i, want := range []string{"cosigned", "409, 10", "409, 10"} {
		w, err := witness.New(dir, key, &witness.Options{Logs: []string{log.key.VKey()}})
		if err != nil {
			t.Fatal(err)
		}
		s := httptest.NewServer(w)
		c, err := witness.NewClient(s.URL, w.VKey(), nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Submit(ctx, log.checkpoint(), 0, nil)
		if got := status(err); got != want {
			t.Errorf("run %d: %s, want %s", i, got, want)
		}
		s.Close()
		w.Close()
	}
}

func TestOneOfManyForksIsSigned(t *testing.T) {
	log := newLog(t, "a").grow(10, "x")
	c, _ := serve(t, t.TempDir(), witnessKey(t), log.key.VKey())
	if _, err := c.Submit(context.Background(), log.checkpoint(), 0, nil); err != nil {
		t.Fatal(err)
	}
	forks := make([]*testLog, 16)
	for i := range forks {
		forks[i] = log.fork(10).grow(1+i, fmt.Sprint(i))
	}
	var wg sync.WaitGroup
	results := make([]string, len(forks))
	for i, l := range forks {
		wg.Go(func() {
			_, err := c.Submit(context.Background(), l.checkpoint(), 10, l.proof(10))
			results[i] = status(err)
		})
	}
	wg.Wait()
	if n := strings.Count(strings.Join(results, " "), "cosigned"); n != 1 {
		t.Errorf("%d of %d forks were cosigned: %v", n, len(forks), results)
	}
}

func TestGarbageIsRefused(t *testing.T) {
	log := newLog(t, "a").grow(10, "x")
	_, s := serve(t, t.TempDir(), witnessKey(t), log.key.VKey())
	good := "old 0\n\n" + string(log.checkpoint())
	for body, want := range map[string]int{
		"":                                      400,
		"old -1\n\n":                            400,
		"old 01\n\n" + string(log.checkpoint()): 400,
		"old 0\nAAAA\n\n" + string(log.checkpoint()): 400,
		"old 0\n\nx": 400,
		"old 0\n" + strings.Repeat(strings.Repeat("A", 43)+"=\n", 64) + "\n" + string(log.checkpoint()): 400,
		strings.Repeat("x", 100_000):                 400,
		strings.Replace(good, "\n10\n", "\n11\n", 1): 403,
		good: 200,
	} {
		resp, err := http.Post(s.URL+"/add-checkpoint", "text/plain", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%.40q: %d %s, want %d", body, resp.StatusCode, text, want)
		}
	}
	for path, want := range map[string]int{"/": 200, "/x": 404, "/add-checkpoint": 405} {
		resp, err := http.Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("GET %s: %d, want %d", path, resp.StatusCode, want)
		}
	}
}

func FuzzRequest(f *testing.F) {
	log := newLog(f, "a").grow(10, "x")
	w, err := witness.New(f.TempDir(), witnessKey(f), &witness.Options{Logs: []string{log.key.VKey()}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { w.Close() })
	f.Add(append([]byte("old 0\n\n"), log.checkpoint()...))
	f.Add([]byte("old 3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\nx\n1\n\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/add-checkpoint", bytes.NewReader(body)))
		if rec.Code == 200 && !bytes.Contains(body, []byte(log.key.Name)) {
			t.Errorf("%q is cosigned", body)
		}
	})
}
