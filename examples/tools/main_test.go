package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/atd"
	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/dispatch"
)

func TestTools(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot be interrupted there")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	dir := t.TempDir()
	program, sock := filepath.Join(dir, "tools"), filepath.Join(dir, "s")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var log bytes.Buffer
	cmd := exec.CommandContext(ctx, program, sock)
	cmd.Stdout, cmd.Stderr = &log, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	client := dial(ctx, t, sock)
	defer client.Close()
	for _, c := range [][2]string{{"my:greet", `{"name":"Ada"}`}, {"my:greet", `{}`}, {"my:nap", `{}`}, {"my:forget", `{}`}} {
		_, _ = client.Run(ctx, &dispatch.RunTool{ToolID: c[0], Args: json.RawMessage(c[1])})
	}
	_ = cmd.Process.Signal(os.Interrupt)
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	want := []string{"success", "invalid_args", "execution_failed", "capability_denied"}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d events: %s", len(lines), log.String())
	}
	for i, line := range lines {
		ev, err := audit.Decode([]byte(line))
		if err != nil || ev.Outcome.Kind.String() != want[i] || ev.Server != "mytools" {
			t.Errorf("event %d is %s: %v", i, line, err)
		}
	}
}

func dial(ctx context.Context, t *testing.T, path string) *atd.Client {
	t.Helper()
	for {
		client, err := atd.Dial(ctx, path)
		if err == nil {
			return client
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
