package tiles_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tooltrail/tooltrail/seal/tiles"
	"github.com/tooltrail/tooltrail/trail"
)

// bundleOf is the entry bundle of lines, made as the specification has it.
func bundleOf(lines [][]byte) []byte {
	var b []byte
	for _, line := range lines {
		b = binary.BigEndian.AppendUint16(b, uint16(len(line)))
		b = append(b, line...)
	}
	return b
}

// storedOf are the hashes of the tree over lines, by package tlog.
func storedOf(t testing.TB, lines [][]byte) tlog.HashReaderFunc {
	t.Helper()
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var hashes []tlog.Hash
		for _, i := range indexes {
			hashes = append(hashes, stored[i])
		}
		return hashes, nil
	})
	for i, line := range lines {
		hashes, err := tlog.StoredHashes(int64(i), line, read)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, hashes...)
	}
	return read
}

// suffix is how the path of a tile of this width ends.
func suffix(width int) string {
	if width == 256 {
		return ""
	}
	return fmt.Sprintf(".p/%d", width)
}

func TestEveryLineAndHashIsServed(t *testing.T) {
	l := sealed(t, 1500)
	lines := l.lines(t)
	if segs, err := trail.Segments(l.dir); err != nil || len(segs) < 5 {
		t.Fatalf("%d segments, %v: bundles are to cross them", len(segs), err)
	}
	ask := serve(t, l.dir, &tiles.Options{Indexes: 2})
	hashes := storedOf(t, lines)
	for n := 0; n*256 < len(lines); n++ {
		width := min(256, len(lines)-n*256)
		_, b := ask("GET", fmt.Sprintf("/tile/entries/%03d%s", n, suffix(width)))
		if !bytes.Equal(b, bundleOf(lines[n*256:n*256+width])) {
			t.Errorf("bundle %d differs: %.80q", n, b)
		}
		tile := tlog.Tile{H: 8, L: 0, N: int64(n), W: width}
		want, err := tlog.ReadTileData(tile, hashes)
		if err != nil {
			t.Fatal(err)
		}
		if _, b := ask("GET", fmt.Sprintf("/tile/0/%03d%s", n, suffix(width))); !bytes.Equal(b, want) {
			t.Errorf("tile %d differs: %.80q", n, b)
		}
	}
	full := len(lines) / 256
	want, err := tlog.ReadTileData(tlog.Tile{H: 8, L: 1, W: full}, hashes)
	if err != nil {
		t.Fatal(err)
	}
	if _, b := ask("GET", fmt.Sprintf("/tile/1/000.p/%d", full)); !bytes.Equal(b, want) {
		t.Errorf("level 1 differs: %.80q", b)
	}
	signed, _ := l.checkpoint(t)
	if _, b := ask("GET", "/checkpoint"); !bytes.Equal(b, signed) {
		t.Errorf("checkpoint: %s", b)
	}
}

// Every width up to the checkpoint's was the size of some checkpoint, and
// stays, also of a tile that is full by now.
func TestPartialBundlesOfAnyCoveredWidth(t *testing.T) {
	l := sealed(t, 300)
	lines := l.lines(t)
	ask := serve(t, l.dir, nil)
	for width := 1; width < 256; width++ {
		if _, b := ask("GET", fmt.Sprintf("/tile/entries/000.p/%d", width)); !bytes.Equal(b, bundleOf(lines[:width])) {
			t.Fatalf("width %d differs", width)
		}
	}
}

func TestStatusAndHeaders(t *testing.T) {
	l := sealed(t, 600) // and three notes
	_, c := l.checkpoint(t)
	if c.Size != 603 {
		t.Fatalf("sealed %d lines", c.Size)
	}
	ask := serve(t, l.dir, nil)
	for _, c := range []struct {
		method, path string
		status       int
		contentType  string
		caching      string
	}{
		{"GET", "/checkpoint", 200, "text/plain; charset=utf-8", "no-cache"},
		{"HEAD", "/checkpoint", 200, "text/plain; charset=utf-8", "no-cache"},
		{"GET", "/tile/0/001", 200, "application/octet-stream", "immutable"},
		{"HEAD", "/tile/0/001", 200, "application/octet-stream", "immutable"},
		{"GET", "/tile/0/002.p/91", 200, "application/octet-stream", "immutable"},
		{"GET", "/tile/1/000.p/2", 200, "application/octet-stream", "immutable"},
		{"GET", "/tile/entries/001", 200, "application/octet-stream", "immutable"},
		{"HEAD", "/tile/entries/002.p/91", 200, "application/octet-stream", "immutable"},

		{"GET", "/tile/0/002", 404, "text/plain; charset=utf-8", "no-cache"},
		{"GET", "/tile/0/002.p/92", 404, "", ""},
		{"GET", "/tile/0/003.p/1", 404, "", ""},
		{"GET", "/tile/1/000", 404, "", ""},
		{"GET", "/tile/1/000.p/3", 404, "", ""},
		{"GET", "/tile/2/000.p/1", 404, "", ""},
		{"GET", "/tile/63/000.p/1", 404, "", ""},
		{"GET", "/tile/entries/002", 404, "", ""},
		{"GET", "/tile/entries/002.p/92", 404, "", ""},
		{"GET", "/tile/entries/x001/x234/067", 404, "", ""},
		{"GET", "/tile/entries/x036/x028/x797/x018/x963/967", 404, "", ""},
		{"GET", "/", 404, "", ""},
		{"GET", "/checkpoints.jsonl", 404, "", ""},
		{"GET", "/state/epoch.key", 404, "", ""},
		{"POST", "/elsewhere", 404, "", ""},

		{"GET", "/tile/0/1", 400, "", ""},
		{"GET", "/tile/0/0001", 400, "", ""},
		{"GET", "/tile/0/x000/001", 400, "", ""},
		{"GET", "/tile/0/001/x000", 400, "", ""},
		{"GET", "/tile/0/000/001", 400, "", ""},
		{"GET", "/tile/0/x001", 400, "", ""},
		{"GET", "/tile/0/+01", 400, "", ""},
		{"GET", "/tile/0/000/", 400, "", ""},
		{"GET", "/tile/0/", 400, "", ""},
		{"GET", "/tile/0", 400, "", ""},
		{"GET", "/tile/", 400, "", ""},
		{"GET", "/tile/00/000", 400, "", ""},
		{"GET", "/tile/64/000", 400, "", ""},
		{"GET", "/tile/-1/000", 400, "", ""},
		{"GET", "/tile/data/000", 400, "", ""},
		{"GET", "/tile/0/000.p/0", 400, "", ""},
		{"GET", "/tile/0/000.p/256", 400, "", ""},
		{"GET", "/tile/0/000.p/01", 400, "", ""},
		{"GET", "/tile/0/000.p/", 400, "", ""},
		{"GET", "/tile/0/000.p/1/2", 400, "", ""},
		{"GET", "/tile/entries/x036/x028/x797/x018/x963/968", 400, "", ""},
		{"GET", "/tile/entries/x999/x999/x999/x999/x999/x999/999", 400, "", ""},

		{"POST", "/checkpoint", 405, "", ""},
		{"PUT", "/tile/0/001", 405, "", ""},
		{"DELETE", "/tile/entries/001", 405, "", ""},
	} {
		t.Run(c.method+strings.ReplaceAll(c.path, "/", "_"), func(t *testing.T) {
			resp, b := ask(c.method, c.path)
			if resp.StatusCode != c.status {
				t.Fatalf("%s, want %d: %.200q", resp.Status, c.status, b)
			}
			if c.status == 405 && resp.Header.Get("Allow") != "GET, HEAD" {
				t.Errorf("Allow: %q", resp.Header.Get("Allow"))
			}
			if got := resp.Header.Get("Content-Type"); c.contentType != "" && got != c.contentType {
				t.Errorf("Content-Type: %q", got)
			}
			if got := resp.Header.Get("Cache-Control"); !strings.Contains(got, c.caching) {
				t.Errorf("Cache-Control: %q", got)
			}
			if c.method == "HEAD" && (len(b) != 0 || resp.ContentLength <= 0) {
				t.Errorf("HEAD: %d bytes, Content-Length %d", len(b), resp.ContentLength)
			}
		})
	}
}

// What is in the files and not in the checkpoint may still be taken back.
func TestNothingBeyondTheCheckpoint(t *testing.T) {
	l := sealed(t, 300)
	signed, c := l.checkpoint(t)
	again := open(t, l.dir, l.key)
	again.record(t, 600)
	again.close(t)
	ask := serve(t, l.dir, nil)
	if resp, _ := ask("GET", "/tile/entries/001"); resp.StatusCode != 200 {
		t.Fatal(resp.Status)
	}
	if err := os.WriteFile(filepath.Join(l.dir, "checkpoint"), signed, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/tile/entries/001", "/tile/0/001", fmt.Sprintf("/tile/0/001.p/%d", c.Size-255)} {
		resp, b := ask("GET", path)
		if resp.StatusCode != 404 || !strings.Contains(string(b), fmt.Sprintf("covers %d entries", c.Size)) {
			t.Errorf("%s: %s %q", path, resp.Status, b)
		}
	}
	if err := os.Remove(filepath.Join(l.dir, "checkpoint")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/checkpoint", "/tile/entries/000"} {
		if resp, _ := ask("GET", path); resp.StatusCode != 404 {
			t.Errorf("%s without a checkpoint: %s", path, resp.Status)
		}
	}
}

func TestServesWhileTheTrailGrowsAndIsPruned(t *testing.T) {
	l := sealed(t, 300)
	ask := serve(t, l.dir, nil)
	for range 4 {
		lines := l.lines(t)
		for n := 0; n*256 < len(lines); n++ {
			width := min(256, len(lines)-n*256)
			path := fmt.Sprintf("/tile/entries/%03d%s", n, suffix(width))
			if resp, b := ask("GET", path); !bytes.Equal(b, bundleOf(lines[n*256:n*256+width])) {
				t.Fatalf("of %d lines: %s: %s %.80q", len(lines), path, resp.Status, b)
			}
		}
		l = open(t, l.dir, l.key)
		l.record(t, 300)
		l.close(t)
	}

	segs, err := trail.Segments(l.dir)
	if err != nil {
		t.Fatal(err)
	}
	var keep uint64 // first line that stays
	for _, s := range segs {
		if keep = s.First; keep > 256 {
			break
		}
		if err := os.Remove(s.Path); err != nil {
			t.Fatal(err)
		}
	}
	var rest [][]byte
	for line, err := range trail.Read(l.dir, nil) {
		if err != nil {
			t.Fatal(err)
		}
		rest = append(rest, bytes.Clone(line.Bytes))
	}
	for n := range uint64(4) {
		path := fmt.Sprintf("/tile/entries/%03d", n)
		resp, b := ask("GET", path)
		if n*256 < keep {
			if resp.StatusCode != 404 || !strings.HasPrefix(string(b), "pruned") {
				t.Errorf("%s: %s %.80q", path, resp.Status, b)
			}
			continue
		}
		if !bytes.Equal(b, bundleOf(rest[n*256-keep:(n+1)*256-keep])) {
			t.Errorf("%s after pruning: %s %.80q", path, resp.Status, b)
		}
	}
	if resp, _ := ask("GET", "/tile/0/000"); resp.StatusCode != 200 {
		t.Errorf("hashes of pruned lines: %s", resp.Status)
	}
}

// A segment that is written anew, with other lengths, is not cut by what was
// remembered of the old one.
func TestForgetsASegmentThatWasReplaced(t *testing.T) {
	l := sealed(t, 600)
	ask := serve(t, l.dir, nil)
	ask("GET", "/tile/entries/001")
	segs, err := trail.Segments(l.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range segs {
		b, err := os.ReadFile(s.Path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(s.Path+".new", bytes.ReplaceAll(b, []byte(`"x"`), []byte(`"longer"`)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(s.Path+".new", s.Path); err != nil {
			t.Fatal(err)
		}
	}
	if _, b := ask("GET", "/tile/entries/001"); !bytes.Equal(b, bundleOf(l.lines(t)[256:512])) {
		t.Errorf("%.200q", b)
	}
}

func TestLinesMissingInTheMiddleAreAnError(t *testing.T) {
	l := sealed(t, 600)
	segs, err := trail.Segments(l.dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(segs[1].Path); err != nil {
		t.Fatal(err)
	}
	ask := serve(t, l.dir, nil)
	resp, b := ask("GET", "/tile/entries/000")
	if resp.StatusCode != http.StatusInternalServerError || strings.Contains(string(b), l.dir) {
		t.Errorf("%s %q", resp.Status, b)
	}
}

func TestManyReadersAtOnce(t *testing.T) {
	l := sealed(t, 2000)
	lines := l.lines(t)
	ask := serve(t, l.dir, &tiles.Options{Indexes: 1})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 20 {
				n := (g*3 + i) % (len(lines) / 256)
				if _, b := ask("GET", fmt.Sprintf("/tile/entries/%03d", n)); !bytes.Equal(b, bundleOf(lines[n*256:(n+1)*256])) {
					t.Errorf("bundle %d differs", n)
				}
			}
		})
	}
	wg.Wait()
}
