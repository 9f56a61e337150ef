//go:build linux

package e2e

import (
	"bufio"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// burst makes n calls, numbered from first, without waiting for replies in
// between, and reads all of them.
func (s *session) burst(first, n int) {
	s.t.Helper()
	sent := make(chan error, 1)
	go func() {
		w := bufio.NewWriterSize(s.in, 64<<10)
		for i := first; i < first+n; i++ {
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"echo","arguments":{"text":"call %d"}}}`+"\n", i, i)
		}
		sent <- w.Flush()
	}()
	for i := first; i < first+n; i++ {
		line, err := s.out.ReadSlice('\n')
		if err != nil || idOf(line) != fmt.Sprint(i) {
			s.t.Fatalf("reply %d: %q, %v; stderr: %s", i, line, err, s.talk())
		}
	}
	if err := <-sent; err != nil {
		s.t.Fatal(err)
	}
}

func TestHundredThousandCalls(t *testing.T) {
	home := t.TempDir()
	s := dial(t, "", run(home, server("echo"))).initialize()
	const half = 50_000
	s.burst(2, half)
	early := peakMemory(t, s.cmd.Process.Pid)
	s.burst(2+half, half)
	late := peakMemory(t, s.cmd.Process.Pid)
	if !raced() && (late > memoryLimit || late > early+32<<20) { // a leak of 600 bytes a call
		t.Errorf("the relay used %d KB after %d calls and %d KB after %d", early>>10, half, late>>10, 2*half)
	}
	s.in.Close()
	s.over()
	wantEvents(t, home, map[string]int{"echo success": 2 * half})
	wantIntact(t, home)
}

// A client starts all its servers at once, some of them twice.
func TestTwentyRelaysInOneHome(t *testing.T) {
	home := t.TempDir()
	var wg sync.WaitGroup
	sessions := make([]*session, 20)
	for i := range sessions {
		args := run(home, server("echo"))
		args[5] = fmt.Sprintf("server%d", i/2) // the value of --name
		sessions[i] = dial(t, "", args)
	}
	for _, s := range sessions {
		s.initialize() // from here on all of them run at once
	}
	for _, s := range sessions {
		wg.Go(func() {
			s.burst(2, 100)
			s.in.Close()
		})
	}
	wg.Wait()
	for _, s := range sessions {
		s.over()
		if talk := s.talk(); talk != "" {
			t.Errorf("stderr: %s", talk)
		}
	}
	wantEvents(t, home, map[string]int{"echo success": 2000})
	wantIntact(t, home) // the twenty have made one key
	all := slots(t, home)
	if len(all) != 20 {
		t.Errorf("%d trails, want one for each relay", len(all))
	}
	for _, e := range events(t, home) {
		if !strings.HasPrefix(e.Server, "server") {
			t.Fatalf("server %q", e.Server)
		}
	}
	if found := len(query(t, home)); found != 2000 {
		t.Errorf("query finds %d events", found)
	}
}

// After SIGKILL the next process goes on with the same trail, and the numbers
// add up: every call is an event or a declared loss. (The relay looks at one
// piece of the stream before it reads the next, so it has seen all calls that
// were answered before the ping.)
func TestTrailAfterKill(t *testing.T) {
	home := t.TempDir()
	const rounds, calls = 5, 2000
	for i := range rounds {
		s := dial(t, "", run(home, server("echo"))).initialize()
		s.burst(2, calls)
		s.send(`{"jsonrpc":"2.0","id":0,"method":"ping"}`)
		s.reply(0)
		if i < rounds-1 {
			s.cmd.Process.Kill()
		} else {
			s.in.Close()
		}
		s.over()
	}
	if found := len(slots(t, home)); found != 1 {
		t.Errorf("%d trails, want one that is used again", found)
	}
	wantIntact(t, home)
	all, declared := account(t, home)
	kept, lost := len(all), int(declared)
	if kept+lost != rounds*calls || kept < calls {
		t.Errorf("%d events and %d declared losses of %d calls", kept, lost, rounds*calls)
	}
	t.Logf("%d events and %d declared losses of %d calls", kept, lost, rounds*calls)
	if found := len(query(t, home)); found != kept {
		t.Errorf("query finds %d of %d events", found, kept)
	}
}
