package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
)

// A device takes no more than room bytes, and then is full.
type device struct {
	bytes.Buffer
	room int
	err  error
}

func (d *device) Write(p []byte) (int, error) {
	n := min(len(p), d.room)
	d.room -= n
	d.Buffer.Write(p[:n])
	if n < len(p) {
		return n, d.err
	}
	return n, nil
}

func numbered(n int) Batch {
	var b Batch
	for i := range n {
		b.Bytes = fmt.Appendf(b.Bytes, "{\"line\":%d}\n", i)
		b.Lines++
	}
	return b
}

// Cut at every byte, and the same lines again: the line is finished.
func TestShortWriteThenTheSameLines(t *testing.T) {
	batch := numbered(3)
	for room := range len(batch.Bytes) {
		d := &device{room: room, err: syscall.ENOSPC}
		j := NewJSONLines(d)
		var we *WriteError
		if err := j.Write(context.Background(), batch); !errors.As(err, &we) || !we.Retry {
			t.Fatalf("room for %d bytes: %v", room, err)
		}
		// A line that lacks only its newline is out.
		if whole := strings.Count(string(batch.Bytes[:room+1]), "\n"); we.Lines != whole {
			t.Errorf("room for %d bytes: %d lines accepted, %d written", room, we.Lines, whole)
		}
		d.room = 1 << 20
		if err := j.Write(context.Background(), batch.Skip(we.Lines)); err != nil {
			t.Fatal(err)
		}
		if d.String() != string(batch.Bytes) {
			t.Errorf("room for %d bytes: wrote %q", room, d.String())
		}
	}
}

// Cut at every byte, and other lines then: they start on a fresh one.
func TestShortWriteThenOtherLines(t *testing.T) {
	batch := numbered(3)
	for room := range len(batch.Bytes) {
		d := &device{room: room, err: errors.New("gone")}
		j := NewJSONLines(d)
		var we *WriteError
		if err := j.Write(context.Background(), batch); !errors.As(err, &we) || we.Retry {
			t.Fatalf("room for %d bytes: %v", room, err)
		}
		d.room = 1 << 20
		if err := j.Write(context.Background(), Batch{Bytes: []byte("other\n"), Lines: 1}); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix("\n"+d.String(), "\nother\n") {
			t.Errorf("room for %d bytes: wrote %q", room, d.String())
		}
	}
}

// A disk that fills up again and again: whatever the cuts, retrying until it
// is done gives the same bytes.
func TestManyShortWrites(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		d := &device{err: syscall.ENOSPC}
		j := NewJSONLines(d)
		batch := numbered(50)
		rest := batch
		for {
			d.room = random.IntN(20)
			err := j.Write(context.Background(), rest)
			if err == nil {
				break
			}
			var we *WriteError
			if !errors.As(err, &we) {
				t.Fatal(err)
			}
			rest = rest.Skip(we.Lines)
		}
		if d.String() != string(batch.Bytes) {
			t.Fatalf("wrote %q", d.String())
		}
	}
}

func TestWriterThatOverstates(t *testing.T) {
	j := NewJSONLines(overstating{})
	if err := j.Write(context.Background(), numbered(2)); err != nil {
		t.Error(err)
	}
}

type overstating struct{}

func (overstating) Write(p []byte) (int, error) { return len(p) + 10, nil }
