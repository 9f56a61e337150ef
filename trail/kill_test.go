package trail

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/audit"
)

var killRounds = flag.Int("kill", 25, "rounds of the kill -9 loop")

// Names of what a child process of the tests is to do.
const (
	childRole = "TRAIL_TEST_CHILD"
	childHome = "TRAIL_TEST_HOME"
)

func TestMain(m *testing.M) {
	switch os.Getenv(childRole) {
	case "write":
		childWrite(os.Getenv(childHome))
	case "slot":
		childSlot(os.Getenv(childHome))
	default:
		os.Exit(m.Run())
	}
}

// child starts this test binary in a role. Its output is read line by line.
func child(t *testing.T, role, home string, args ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), childRole+"="+role, childHome+"="+home)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

// childWrite floods a trail through a queue until it is killed. It says "ok"
// and the newest durable number every time that one is known.
func childWrite(dir string) {
	tr, err := Open(dir, &Options{MaxBytes: 200_000, SyncEvery: 5 * time.Millisecond})
	if err != nil {
		fmt.Println("error", err)
		return
	}
	q := audit.NewQueue(tr, &audit.QueueOptions{FirstSeq: tr.NextSeq(), Counters: tr.Counters(), Capacity: 256, MaxWait: -1})
	for range 2 {
		go func() {
			for i := 0; ; i++ {
				q.OnCall(&audit.CallEvent{CallID: audit.NewCallID(), ToolID: "flood", Outcome: audit.Success()})
				if i%100 == 0 {
					time.Sleep(time.Millisecond)
				}
			}
		}()
	}
	for {
		id := audit.NewCallID()
		if err := q.Record(context.Background(), &audit.CallEvent{CallID: id, ToolID: "recorded", Outcome: audit.Success()}); err != nil {
			fmt.Println("error", err)
			return
		}
		fmt.Println("ok", id)
	}
}

func TestKillAtAnyMoment(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a")
	recorded := map[string]bool{}
	for range *killRounds {
		cmd, out := child(t, "write", dir)
		after := 1 + rand.IntN(15)
		timer := time.AfterFunc(30*time.Second, func() { cmd.Process.Kill() })
		for n := 0; out.Scan(); {
			id, ok := strings.CutPrefix(out.Text(), "ok ")
			if !ok {
				t.Fatal(out.Text())
			}
			recorded[id] = true
			if n++; n == after {
				cmd.Process.Kill()
			}
		}
		timer.Stop()
		cmd.Wait()
	}
	tr := open(t, dir, nil)
	next := tr.NextSeq()
	shut(t, tr)
	a := balanced(t, dir)
	if a.Last != next-1 || a.Events == 0 || len(a.Corrupt) > 0 {
		t.Errorf("%d events, last %d, next %d, corrupt %v", a.Events, a.Last, next, a.Corrupt)
	}
	ids := map[string]bool{}
	for line, err := range Read(dir, nil) {
		if err != nil {
			t.Fatal(err)
		}
		if line.Kind() == Event {
			id := callID(line.Bytes)
			if ids[id] {
				t.Fatalf("event %s stands there twice", id)
			}
			ids[id] = true
		}
	}
	for id := range recorded {
		if !ids[id] {
			t.Errorf("event %s was recorded and is gone", id)
		}
	}
	t.Logf("%d rounds: %d events, lost %v", *killRounds, a.Events, a.Lost)
}

// childSlot takes a slot, says which, and holds it until it is killed.
func childSlot(home string) {
	h, err := OpenHome(home)
	if err == nil {
		var tr *Trail
		if tr, err = h.Open(os.Args[1], nil); err == nil {
			_ = tr.Write(context.Background(), batch(tr.NextSeq(), 3))
			fmt.Println("ok", tr.Name())
			time.Sleep(time.Minute) // and not select: with all goroutines asleep the runtime ends the process
		}
	}
	fmt.Println("error", err)
}

func TestTwentyProcessesShareAHome(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	var cmds []*exec.Cmd
	defer func() {
		for _, c := range cmds {
			c.Process.Kill()
			c.Wait()
		}
	}()
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := map[string]int{}
	for i := range 20 {
		cmd, out := child(t, "slot", home, fmt.Sprintf("s%d", i/2*i%19))
		cmds = append(cmds, cmd)
		wg.Go(func() {
			if out.Scan() {
				mu.Lock()
				slots[out.Text()]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(slots) != 20 {
		t.Fatalf("%d slots: %v", len(slots), slots)
	}
	events := 0
	for line, err := range Read(home, nil) {
		if err != nil {
			t.Fatal(err)
		}
		if line.Kind() == Event {
			events++
		}
	}
	if events != 60 {
		t.Errorf("%d events, want 60", events)
	}
	_, err := Open(filepath.Join(home, "s0"), nil)
	if err == nil || !strings.Contains(err.Error(), "in use by process ") || strings.HasSuffix(err.Error(), " 0") && runtime.GOOS != "windows" {
		t.Errorf("a held slot: %v", err)
	}
}

func TestFollowUnderRotationLosesNothing(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	h, err := OpenHome(home)
	if err != nil {
		t.Fatal(err)
	}
	const writers, each = 3, 3000
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			tr, err := h.Open("s", &Options{MaxBytes: 3000, SyncEvery: 2 * time.Millisecond})
			if err != nil {
				t.Error(err)
				return
			}
			defer tr.Close(context.Background())
			for i := 0; i < each; i += 3 {
				if err := tr.Write(ctx, batch(uint64(i+1), 3)); err != nil {
					t.Error(err)
				}
				if i%600 == 0 && w == 0 {
					os.Remove(livePath(t, tr.Dir()))
					tr.mu.Lock()
					tr.looked = 0 // do not wait for the second to pass
					tr.mu.Unlock()
				}
			}
		})
	}
	seen, total := map[string]uint64{}, 0
	for line, err := range Follow(ctx, home, &FollowOptions{Last: -1, Poll: time.Millisecond}) {
		if err != nil {
			t.Fatal(err)
		}
		if line.Kind() != Event {
			continue
		}
		seq, _ := lineSeq(line.Bytes)
		if seen[line.Trail]++; seq != seen[line.Trail] {
			t.Fatalf("%s: event %d comes after %d", line.Trail, seq, seen[line.Trail]-1)
		}
		if total++; total == writers*each {
			cancel()
		}
	}
	wg.Wait()
	if total != writers*each {
		t.Errorf("%d events, want %d", total, writers*each)
	}
}
