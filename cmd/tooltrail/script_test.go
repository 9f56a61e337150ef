package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tooltrail/tooltrail/audit"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tooltrail": main})
}

// TestScripts runs the program as a user does. Scripts that hold trails as
// files make them private first, with "private DIR".
func TestScripts(t *testing.T) {
	// The race detector would keep every process for a second at its end.
	const quick = "atexit_sleep_ms=0"
	t.Setenv("GORACE", quick)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(e *testscript.Env) error {
			e.Setenv("TZ", "UTC")
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("TOOLTRAIL_DIR", "")
			e.Setenv("XDG_STATE_HOME", "")
			e.Setenv(configVariable, filepath.Join(e.WorkDir, "settings"))
			e.Setenv("TOOLTRAIL_KEYS", "")
			if err := startWitness(e); err != nil {
				return err
			}
			e.Setenv("NO_COLOR", "")
			e.Setenv("GORACE", quick)
			return nil
		},
		Condition: func(name string) (bool, error) {
			return name == "root" && runtime.GOOS != "windows" && os.Getuid() == 0, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"private": private,
			"append":  appendFile,
			"cut":     cutNewline,
			"status":  status,
			"events":  events,
			"closes":  closes,
			"until":   until,
			"within":  within,
			"answers": answers,
		},
	})
}

// private DIR… gives everything below the folders to its owner only, as the
// recorder makes it.
func private(ts *testscript.TestScript, _ bool, dirs []string) {
	for _, dir := range dirs {
		ts.Check(filepath.WalkDir(ts.MkAbs(dir), func(path string, d os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() {
				return os.Chmod(path, 0o700)
			}
			return os.Chmod(path, 0o600)
		}))
	}
}

// appendFile FROM TO appends one file to another.
func appendFile(ts *testscript.TestScript, _ bool, args []string) {
	f, err := os.OpenFile(ts.MkAbs(args[1]), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	ts.Check(err)
	_, err = f.WriteString(ts.ReadFile(args[0]))
	ts.Check(err)
	ts.Check(f.Close())
}

// events N FILE writes N events, of twelve tools.
func events(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	at := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	var b []byte
	for i := range n {
		ev := audit.CallEvent{
			Time: at.Add(time.Duration(i) * time.Millisecond), CallID: fmt.Sprintf("call-%06d", i),
			ToolID: fmt.Sprintf("tool-%02d", i%12), Outcome: audit.Success(), Duration: time.Duration(i%1000) * time.Millisecond, Seq: uint64(i + 1),
		}
		b = append(ev.AppendJSON(b), '\n')
	}
	ts.Check(os.MkdirAll(filepath.Dir(ts.MkAbs(args[1])), 0o700))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b, 0o600))
}

// answers SOCKET waits until somebody listens on a Unix socket.
func answers(ts *testscript.TestScript, _ bool, args []string) {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if c, err := net.Dial("unix", ts.MkAbs(args[0])); err == nil {
			ts.Check(c.Close())
			return
		}
	}
	ts.Fatalf("nobody listens on %s", args[0])
}

// closes COMMAND… runs a command whose reader goes away after one byte, and
// wants it to end well and in silence.
func closes(ts *testscript.TestScript, _ bool, args []string) {
	cmd := exec.Command(program(ts, args[0]), args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = environment(ts)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	_, err = out.Read(make([]byte, 1))
	ts.Check(err)
	ts.Check(out.Close())
	if err := cmd.Wait(); err != nil || stderr.Len() > 0 {
		ts.Fatalf("%v: %v: %s", args, err, stderr.String())
	}
}

// cutNewline FILE cuts off the last byte of a file.
func cutNewline(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text[:len(text)-1]), 0o600))
}

// status CODE COMMAND… runs a command and wants it to exit with a code.
func status(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	code := 0
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("%v: exit code %d, want %s", args[1:], code, args[0])
	}
}
