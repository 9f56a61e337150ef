package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience is how long a script waits for what must happen.
const patience = 20 * time.Second

// until TEXT HOME FILE COMMAND… runs a command whose standard input is FILE,
// and stays open until TEXT stands in a trail in HOME. How the command ends
// does not matter.
func until(ts *testscript.TestScript, _ bool, args []string) {
	text, home, input := args[0], ts.MkAbs(args[1]), ts.ReadFile(args[2])
	cmd := exec.Command(program(ts, args[3]), args[4:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = environment(ts)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	_, err = stdin.Write([]byte(input))
	ts.Check(err)
	found := false
	for deadline := time.Now().Add(patience); !found && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		found = stands(text, home)
	}
	ts.Check(stdin.Close())
	err = cmd.Wait()
	if !found {
		ts.Fatalf("%v: %s is nowhere in %s; it ended with %v: %s", args[3:], text, home, err, stderr.String())
	}
}

// environment is that of the script, for a process that it does not start
// itself.
func environment(ts *testscript.TestScript) []string {
	env := os.Environ()
	for _, name := range []string{"HOME", "TZ", "TOOLTRAIL_DIR", "TOOLTRAIL_KEYS", stateVariable, configVariable} {
		env = append(env, name+"="+ts.Getenv(name))
	}
	return env
}

// stands reports whether text stands in a segment of a trail in home.
func stands(text, home string) bool {
	segments, _ := filepath.Glob(filepath.Join(home, "*", "*.jsonl"))
	for _, path := range segments {
		if b, err := os.ReadFile(path); err == nil && bytes.Contains(b, []byte(text)) {
			return true
		}
	}
	return false
}

// within LIMIT COMMAND… is exec, and wants the command to end in that time.
func within(ts *testscript.TestScript, _ bool, args []string) {
	limit, err := time.ParseDuration(args[0])
	ts.Check(err)
	start := time.Now()
	ts.Check(ts.Exec(args[1], args[2:]...))
	if took := time.Since(start); took > limit {
		ts.Fatalf("%v took %v", args[1:], took)
	}
}

// program is the path of a program that testscript provides.
func program(ts *testscript.TestScript, name string) string {
	return filepath.Join(filepath.SplitList(ts.Getenv("PATH"))[0], name)
}
