package record

import (
	"bytes"
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var record = flag.Bool("record", false, "write the transcripts of package relay")

// The parts of a transcript; see package relay's TestTranscripts.
const wireMark, eventsMark = "-- wire --\n", "-- events --\n"

// maxTranscript keeps the files readable, in bytes.
const maxTranscript = 32 << 10

// TestSessions plays each session, and writes its transcript or compares what
// passed with it: the same frames, in any order, since what both sides do at
// the same time has none.
func TestSessions(t *testing.T) {
	p := &peers{t: t, ts: tsClient(t), go_: goPeer(t), dir: t.TempDir()}
	if err := os.WriteFile(filepath.Join(p.dir, "hello.txt"), []byte("hello\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, s := range p.sessions() {
		t.Run(name, func(t *testing.T) {
			wire := clean(t, s.play(t), p.dir)
			file := filepath.Join("../../../relay/testdata", "recorded-"+name+".txtar")
			if *record {
				write(t, file, s.about, wire)
				return
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, rest, _ := strings.Cut(string(text), wireMark)
			want, _, _ := strings.Cut(rest, eventsMark)
			if !slices.Equal(sorted(wire), sorted(want)) {
				t.Errorf("passed:\n%s\non record:\n%s", wire, want)
			}
		})
	}
}

// play runs a session to its end and returns what passed.
func (s session) play(t *testing.T) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	file := filepath.Join(t.TempDir(), "wire")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := slices.Concat(s.client, []string{self, "tee", file}, s.server, s.after)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "MEMORY_FILE_PATH="+filepath.Join(t.TempDir(), "memory.jsonl"))
	cmd.WaitDelay = 5 * time.Second
	out, cmdErr := cmd.CombinedOutput() // a call that fails may fail its client
	wire, err := os.ReadFile(file)
	if err != nil || !bytes.Contains(wire, []byte("\nclose ")) {
		t.Fatalf("%v, %v\n%s\n%s", err, cmdErr, out, wire)
	}
	return string(wire)
}

// clean replaces what differs between runs and machines.
func clean(t *testing.T, wire, dir string) string {
	t.Helper()
	wire = strings.ReplaceAll(wire, dir, "/srv/files")
	for _, place := range []string{os.TempDir(), repository(t)} {
		if strings.Contains(wire, place) {
			t.Fatalf("%s is in the transcript:\n%s", place, wire)
		}
	}
	return wire
}

func repository(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// write writes the wire part and leaves the events to the relay's test.
func write(t *testing.T, file, about, wire string) {
	t.Helper()
	if len(wire) > maxTranscript {
		t.Fatalf("%d bytes are too many for a transcript", len(wire))
	}
	if err := os.WriteFile(file, []byte(about+"\n"+wireMark+wire+eventsMark), 0o644); err != nil {
		t.Fatal(err)
	}
}

// sorted returns the lines of a transcript, ids as they are, in an order that
// does not depend on when they passed.
func sorted(wire string) []string { return slices.Sorted(strings.Lines(wire)) }

func TestTeeKeepsOrderAndEnd(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "wire")
	cmd := exec.CommandContext(t.Context(), self, "tee", file, "cat")
	cmd.Stdin = strings.NewReader("one\n\ntwo\n")
	out, err := cmd.Output()
	if err != nil || string(out) != "one\n\ntwo\n" {
		t.Fatalf("%q, %v", out, err)
	}
	wire, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := sorted(string(wire)), sorted("> one\n> \n> two\n< one\n< \n< two\nclose client\n"); !slices.Equal(got, want) {
		t.Errorf("got %q", wire)
	}
}
