//go:build linux

package e2e

import (
	"bytes"
	"io"
	"slices"
	"testing"
	"time"
)

// A copy from a pollable descriptor to a blocking one takes 10 ms or more for
// each message that is larger than a pipe; without that stall it is well below
// one. The bound lies between the two with room for a slow machine.
func TestLargeMessagesDoNotStall(t *testing.T) {
	s := dial(t, "", run(t.TempDir(), server("cat")))
	message := append(bytes.Repeat([]byte("x"), 128<<10), '\n')
	back := make([]byte, len(message))
	took := make([]time.Duration, 101)
	for i := range took {
		begin := time.Now()
		go s.in.Write(message)
		if _, err := io.ReadFull(s.out, back); err != nil {
			t.Fatal(err)
		}
		took[i] = time.Since(begin)
	}
	slices.Sort(took)
	if median := took[len(took)/2]; median > 8*time.Millisecond && !raced() {
		t.Errorf("a message of 128 KiB and its echo take %v (median)", median)
	}
	s.in.Close()
	s.over()
}
