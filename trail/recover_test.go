package trail

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tooltrail/tooltrail/audit"
)

// killedTrail makes a trail whose writer was killed after n events.
func killedTrail(t *testing.T, n int) (dir string, content []byte) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "a")
	tr := open(t, dir, nil)
	write(t, tr, 1, n)
	abandon(tr)
	return dir, mustRead(t, livePath(t, dir))
}

func TestASegmentCutAtEveryOffsetOpens(t *testing.T) {
	_, content := killedTrail(t, 3)
	for cut := range len(content) + 1 {
		for _, tail := range []string{"", strings.Repeat("\x00", 100)} {
			dir := filepath.Join(t.TempDir(), "b")
			whole := content[:bytes.LastIndexByte(content[:cut], '\n')+1]
			put(t, dir, 0, string(content[:cut])+tail)
			tr, err := Open(dir, &Options{SyncEvery: -1})
			if err != nil {
				t.Fatalf("cut at %d: %v", cut, err)
			}
			write(t, tr, tr.NextSeq(), 1)
			shut(t, tr)
			got := mustRead(t, livePath(t, dir))
			if !bytes.HasPrefix(got, whole) || !bytes.HasPrefix(got[len(whole):], []byte(`{"note":`)) {
				t.Fatalf("cut at %d: the file holds %q", cut, got)
			}
			a := balanced(t, dir)
			if want := uint64(bytes.Count(whole, []byte(`"seq":`))) + 1; a.Events != want {
				t.Fatalf("cut at %d: %d events, want %d", cut, a.Events, want)
			}
			if torn := cut - len(whole) + len(tail); torn > 0 {
				oneNote(t, dir, "recovered", fmt.Sprintf(`"torn":%d`, torn))
			}
			os.RemoveAll(dir)
		}
	}
}

func TestTheTornTailIsKept(t *testing.T) {
	dir, _ := killedTrail(t, 1)
	path := livePath(t, dir)
	long := `{"ts":"` + strings.Repeat("\xff\x1b\\", 3000)
	f, _ := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	f.WriteString(long)
	f.Close()
	open(t, dir, nil)
	oneNote(t, dir, "recovered", `{\"ts\":\"\\xff\\x1b\\\\`, `"kept":"tail-`)
	kept, _ := filepath.Glob(filepath.Join(dir, stateDir, tailPrefix+"*"))
	if len(kept) != 1 || string(mustRead(t, kept[0])) != long {
		t.Errorf("quarantine: %v", kept)
	}
}

func TestLinesBehindAHoleAreKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a")
	put(t, dir, 0, seqLine(1)+seqLine(2)+strings.Repeat("\x00", 5000)+"rest\n"+seqLine(5)+seqLine(6)+"{torn")
	tr := open(t, dir, nil)
	if tr.NextSeq() != 7 {
		t.Errorf("next seq %d", tr.NextSeq())
	}
	shut(t, tr)
	if a := balanced(t, dir); a.Events != 4 || a.Lost["killed"] != 2 {
		t.Errorf("%+v", a)
	}
	oneNote(t, dir, "recovered", `"saved":2`, `"first_seq":3,"last_seq":4`)
}

func TestAClosedSegmentThatLostItsTail(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a")
	put(t, dir, 0, seqLine(1)+seqLine(2)+`{"ts":`+strings.Repeat("\x00", 50))
	put(t, dir, 4, seqLine(5)+seqLine(6))
	for range 2 {
		shut(t, open(t, dir, nil))
	}
	if a := balanced(t, dir); a.Events != 4 || a.Lost["killed"] != 2 || len(a.Corrupt) != 0 {
		t.Errorf("%+v", a)
	}
	oneNote(t, dir, "recovered", `"first_seq":3,"last_seq":4`)
}

func TestWhatAKilledProcessHadQueuedIsDeclared(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a")
	tr := open(t, dir, nil)
	q := audit.NewQueue(&stuckWriter{}, &audit.QueueOptions{FirstSeq: tr.NextSeq(), Counters: tr.Counters(), MaxWait: -1})
	for range 100 {
		q.OnCall(&audit.CallEvent{ToolID: "t", Outcome: audit.Success()})
	}
	write(t, tr, 1, 10) // the drain got this far
	abandon(tr)
	for range 2 { // to recover twice declares once
		tr = open(t, dir, nil)
		if tr.NextSeq() != 101 {
			t.Fatalf("next seq %d", tr.NextSeq())
		}
		abandon(tr)
	}
	if a := balanced(t, dir); a.Events != 10 || a.Lost["killed"] != 90 || a.Last != 100 {
		t.Errorf("%+v", a)
	}
	if c := tr.Counters().Load(); c.Admitted() != 0 {
		t.Errorf("the counters were not reset: %+v", c)
	}
}

func TestCheckFindsWhatIsNotDeclared(t *testing.T) {
	dir := t.TempDir()
	lost := strings.Replace(seqLine(9), `"seq":9`, `"seq":9,"lost":{"count":2,"reason":"queue_full"}`, 1)
	put(t, dir, 0, seqLine(1)+seqLine(2)+seqLine(2)+seqLine(5)+lost+
		`{"note":"stop","ts":"2026-05-29T12:34:56+00:00","seq":12}`+"\n")
	a, err := Check(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []Range{{3, 4}, {6, 6}, {10, 12}}
	if len(a.Undeclared) != 3 || a.Undeclared[0] != want[0] || a.Undeclared[1] != want[1] || a.Undeclared[2] != want[2] {
		t.Errorf("undeclared %v, want %v", a.Undeclared, want)
	}
	if a.Duplicates != 1 || a.Lost["queue_full"] != 2 || a.Balanced() {
		t.Errorf("%+v", a)
	}
}

func TestUnsafeSegmentsAreNotWritten(t *testing.T) {
	for name, plant := range map[string]func(path string) error{
		"symlink":  func(p string) error { return os.Symlink("/etc/hostname", p) },
		"hardlink": func(p string) error { os.WriteFile(p+"x", nil, 0o600); return os.Link(p+"x", p) },
	} {
		dir := filepath.Join(t.TempDir(), "a")
		os.MkdirAll(dir, 0o700)
		if err := plant(filepath.Join(dir, segmentName(0))); err != nil {
			t.Skip(err)
		}
		if tr, err := Open(dir, nil); err == nil {
			shut(t, tr)
			t.Errorf("a %s is written", name)
		}
	}
}
