package seal_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/trail"
)

// What a child process of the tests is to do: seal the trail in a directory
// with a key.
const (
	childDir = "SEAL_TEST_DIR"
	childKey = "SEAL_TEST_KEY"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		fmt.Println("error", writeForEver(dir, os.Getenv(childKey)))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeForEver floods a sealed trail until it is killed, and tells which events
// are durable.
func writeForEver(dir, secret string) error {
	key, err := seal.ParseKey(secret)
	if err != nil {
		return err
	}
	tr, err := trail.Open(dir, &trail.Options{
		MaxBytes: 40_000, SyncEvery: 2 * time.Millisecond,
		Sealer: seal.New(&seal.Options{Keys: []*seal.Key{key}, Every: time.Millisecond, EpochEvery: 5 * time.Millisecond}),
	})
	if err != nil {
		return err
	}
	q := audit.NewQueue(tr, &audit.QueueOptions{FirstSeq: tr.NextSeq(), Counters: tr.Counters(), Capacity: 256, MaxWait: -1})
	for range 2 {
		go func() {
			for i := 0; ; i++ {
				q.OnCall(&audit.CallEvent{CallID: audit.NewCallID(), ToolID: "flood", Outcome: audit.Success()})
				if i%100 == 0 {
					time.Sleep(time.Millisecond) // the other has a turn, and the trail stays small
				}
			}
		}()
	}
	for {
		id := audit.NewCallID()
		if err := q.Record(context.Background(), &audit.CallEvent{CallID: id, ToolID: "recorded", Outcome: audit.Success()}); err != nil {
			return err
		}
		fmt.Println("ok", id)
	}
}

// killedWriter runs a writer and kills it at a random moment. It returns the
// events that were durable by then.
func killedWriter(t *testing.T, dir string, key *seal.Key) (durable []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, childKey+"="+key.Secret())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err, cmd.Start())
	hung := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	defer hung.Stop()
	after := rand.IntN(10)
	if after == 0 { // while it opens the trail
		defer time.AfterFunc(time.Duration(rand.IntN(60))*time.Millisecond, func() { _ = cmd.Process.Kill() }).Stop()
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		id, ok := strings.CutPrefix(lines.Text(), "ok ")
		if !ok {
			t.Error(lines.Text())
		}
		if durable = append(durable, id); len(durable) == after {
			_ = cmd.Process.Kill()
		}
	}
	_ = cmd.Wait()
	return durable
}

// TestKillAtAnyMoment kills a writer over and over. Each time its trail must
// open, hold what was durable, account for every number and verify.
func TestKillAtAnyMoment(t *testing.T) {
	const perTrail = 10
	n := rounds(t, "TOOLTRAIL_KILL_ROUNDS", 200)
	for first := 0; first < n; first += perTrail {
		t.Run(fmt.Sprint(first), func(t *testing.T) {
			t.Parallel()
			dir, key := filepath.Join(t.TempDir(), "x"), newKey(t)
			var durable []string
			for range min(perTrail, n-first) {
				durable = append(durable, killedWriter(t, dir, key)...)
				tr, _ := open(t, dir, seal.Options{Keys: []*seal.Key{key}})
				next := tr.NextSeq()
				shut(t, tr)
				if a := accounted(t, dir); a.Last != next-1 {
					t.Fatalf("the last number is %d, the next %d", a.Last, next)
				}
				if r := verify(t, dir, key); !r.OK || r.Unsealed > 0 {
					t.Fatalf("%+v", r)
				}
			}
			holdsAll(t, dir, durable)
		})
	}
}

// holdsAll fails unless each of the events is in the trail, once.
func holdsAll(t *testing.T, dir string, ids []string) {
	t.Helper()
	there := map[string]int{}
	for _, line := range linesOf(t, dir) {
		if ev, err := audit.Decode(line); err == nil {
			there[ev.CallID]++
		}
	}
	for _, id := range ids {
		if there[id] != 1 {
			t.Errorf("event %s was durable and is there %d times", id, there[id])
		}
	}
}
