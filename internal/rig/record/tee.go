package record

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
)

// A tee passes frames on and writes them down.
type tee struct {
	mu  sync.Mutex
	out io.Writer // guarded by mu
	end string    // guarded by mu: who ended first, as "client" or "server"
	err error     // guarded by mu: the first fault
}

// Tee runs a server between this process's standard input and output, and
// writes the transcript of the session to out, each line as it passes: a frame
// is written down before it is passed on, so that cause precedes effect. Tee
// returns when the server has ended, which a signal makes it do.
func Tee(out io.Writer, server []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cmd := exec.CommandContext(ctx, server[0], server[1:]...)
	cmd.Stderr = os.Stderr
	in, err1 := cmd.StdinPipe()
	reply, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("record: start the server: %w", err)
	}
	t := &tee{out: out}
	go func() {
		t.pass("client", "> ", in, os.Stdin)
		in.Close()
	}()
	t.pass("server", "< ", os.Stdout, reply)
	_ = cmd.Wait() // how a server ends is part of the session
	t.mu.Lock()
	defer t.mu.Unlock()
	t.write("close " + t.end + "\n")
	return t.err
}

// pass copies one direction, frame by frame.
func (t *tee) pass(who, mark string, dst io.Writer, src io.Reader) {
	r := bufio.NewReader(src)
	for {
		frame, err := r.ReadString('\n')
		switch {
		case err == nil:
			t.note(mark + frame)
		case frame != "":
			t.fail(fmt.Errorf("record: the %s ended within a frame: %q", who, frame))
		}
		if err != nil {
			t.ended(who)
			return
		}
		if _, err := io.WriteString(dst, frame); err != nil {
			return // the other side has gone, as its own direction says
		}
	}
}

func (t *tee) note(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.write(line)
}

// write keeps the first fault. t.mu is held.
func (t *tee) write(line string) {
	if _, err := io.WriteString(t.out, line); err != nil && t.err == nil {
		t.err = fmt.Errorf("record: %w", err)
	}
}

func (t *tee) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = err
	}
}

func (t *tee) ended(who string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.end == "" {
		t.end = who
	}
}
