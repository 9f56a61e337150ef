package seal_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/trail"
)

func TestDeclaredLossGoesOn(t *testing.T) {
	for name, harm := range map[string]func(t *testing.T, segs []trail.Segment) (want string){
		"last segment": func(t *testing.T, segs []trail.Segment) string {
			last := segs[len(segs)-1]
			must(t, os.Remove(last.Path))
			return fmt.Sprintf("[{%d 903}]", last.First)
		},
		"middle segment": func(t *testing.T, segs []trail.Segment) string {
			must(t, os.Remove(segs[1].Path))
			return fmt.Sprintf("[{%d %d}]", segs[1].First, segs[1].Next)
		},
		"all": func(t *testing.T, segs []trail.Segment) string {
			for _, s := range segs {
				must(t, os.Remove(s.Path))
			}
			return "[{0 903}]"
		},
		"last line": func(t *testing.T, segs []trail.Segment) string {
			last := segs[len(segs)-1]
			must(t, os.Truncate(last.Path, last.Size-20))
			return "[{902 903}]"
		},
		"first line changed": func(t *testing.T, segs []trail.Segment) string {
			must(t, os.Chmod(segs[0].Path, 0o600), overwrite(segs[0].Path, 10, 1))
			return "[{0 1}]"
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, key := filepath.Join(t.TempDir(), "x"), newKey(t)
			tr, _ := open(t, dir, seal.Options{Keys: []*seal.Key{key}}, trail.Options{MaxBytes: 40_000})
			record(t, tr, 900)
			shut(t, tr)
			before, _ := newest(t, dir, key)
			segs, err := trail.Segments(dir)
			must(t, err)
			want := harm(t, segs)
			if _, err := trail.Open(dir, &trail.Options{Sealer: seal.New(&seal.Options{Keys: []*seal.Key{key}})}); err == nil {
				t.Fatal("the trail was continued in silence")
			}
			tr, s := open(t, dir, seal.Options{Keys: []*seal.Key{key}, Accept: "the disk ate it"})
			if got := fmt.Sprint(s.Accepted()); got != want {
				t.Errorf("given up are %s, want %s", got, want)
			}
			record(t, tr, 10)
			shut(t, tr)
			tr, _ = open(t, dir, seal.Options{Keys: []*seal.Key{key}})
			record(t, tr, 10)
			shut(t, tr)
			c, _ := newest(t, dir, key)
			tree, err := seal.OpenTree(dir)
			must(t, err)
			defer tree.Close()
			if root, err := tree.Root(before.Size); err != nil || root != before.Root {
				t.Errorf("the tree does not go on from the old checkpoint: %v", err)
			}
			checkTree(t, dir, c)
			notes := 0
			for line, err := range trail.Read(dir, nil) {
				var corrupt *trail.CorruptError
				if err != nil && !errors.As(err, &corrupt) {
					t.Fatal(err)
				}
				if line.Note() == "accepted" && strings.Contains(string(line.Bytes), "the disk ate it") {
					notes++
				}
				if line.Index >= before.Size {
					if leaf, err := tree.Leaf(line.Index); err != nil || leaf != seal.LeafHash(line.Bytes) {
						t.Fatalf("leaf %d is wrong: %v", line.Index, err)
					}
				}
			}
			if notes != 1 {
				t.Errorf("%d notes", notes)
			}
		})
	}
}

func TestNewTrailLinksTheOneBefore(t *testing.T) {
	root, key := t.TempDir(), newKey(t)
	dir := filepath.Join(root, "x")
	for generation, origin := range []string{"tooltrail/test/x", "tooltrail/test/x/2", "tooltrail/test/x/3"} {
		o := seal.Options{Keys: []*seal.Key{key}}
		if generation > 0 {
			old := filepath.Join(root, fmt.Sprint("old-", generation))
			must(t, os.Rename(dir, old))
			b, err := os.ReadFile(filepath.Join(old, "checkpoint"))
			must(t, err)
			o.Continues = b
		}
		tr, s := open(t, dir, o)
		if got := s.Status().Origin; got != origin {
			t.Fatalf("origin %s, want %s", got, origin)
		}
		shut(t, tr)
		links := 0
		for _, line := range linesOf(t, dir) {
			if strings.Contains(string(line), `{"note":"continues"`) {
				links++
			}
		}
		if links != min(generation, 1) {
			t.Errorf("generation %d has %d links", generation, links)
		}
	}
}

func TestNextSlotIsTakenForADamagedTrail(t *testing.T) {
	home, err := trail.OpenHome(t.TempDir())
	must(t, err)
	key := newKey(t)
	for i, want := range []string{"x", "x.2", "x.2"} {
		tr, err := home.Open("x", &trail.Options{Sealer: seal.New(&seal.Options{Keys: []*seal.Key{key}})})
		must(t, err)
		if tr.Name() != want {
			t.Errorf("open %d is %s, want %s", i, tr.Name(), want)
		}
		shut(t, tr)
		if i == 0 {
			segs, err := trail.Segments(tr.Dir())
			must(t, err, os.Remove(segs[0].Path))
		}
	}
}
