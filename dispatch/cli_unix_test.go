//go:build unix

package dispatch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/dispatch"
)

// shellTool is a CLI tool that runs script, with args as $1, $2, …
func shellTool(t *testing.T, script, more string, args ...string) dispatch.Tool {
	t.Helper()
	text, err := json.Marshal(append([]string{"-c", strings.ReplaceAll(script, "{", "{{"), "sh"}, args...))
	if err != nil {
		t.Fatal(err)
	}
	tool, err := dispatch.CLI(cliDefinition(fmt.Sprintf(`{"program":"/bin/sh","args":%s%s}`, text, more)), nil)
	if err != nil {
		t.Fatal(err)
	}
	return tool
}

func cliDefinition(config string) dispatch.Definition {
	return dispatch.Definition{ID: "test:cli", Bindings: []dispatch.Binding{{Protocol: "Cli", Config: json.RawMessage(config)}}}
}

// run calls a tool, and returns its result as JSON.
func run(t *testing.T, tool dispatch.Tool, c *dispatch.Call, args string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return runIn(ctx, t, tool, c, args)
}

func runIn(ctx context.Context, t *testing.T, tool dispatch.Tool, c *dispatch.Call, args string) (string, error) {
	t.Helper()
	c.Args = json.RawMessage(args)
	if c.MaxOutput == 0 {
		c.MaxOutput = 1 << 20
	}
	v, err := tool.Call(ctx, c)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), nil
}

func isFailure(err error, code string, retryable bool) bool {
	var f *dispatch.Failure
	return errors.As(err, &f) && f.Code == code && f.Retryable == retryable
}

func TestCLIMapsArguments(t *testing.T) {
	const script = `for a; do printf '<%s>' "$a"; done`
	templates := []string{"--path={path}", "{files}", "{{{n}}", "{path}-{n}", "plain"}
	for _, c := range []struct{ args, want string }{
		{`{}`, "<plain>"},
		{`{"path":"a b;$(id)"}`, "<--path=a b;$(id)><plain>"},
		{`{"files":["x y","",3,true]}`, "<x y><><3><true><plain>"},
		{`{"files":"one"}`, "<one><plain>"},
		{`{"files":[]}`, "<plain>"},
		{`{"files":null}`, "<plain>"},
		{`{"n":1.50}`, "<{1.50}><plain>"},
		{`{"n":false,"path":"ü\n"}`, "<--path=ü\n><{false}><ü\n-false><plain>"},
		{`{"Path":"x"}`, "<plain>"},
	} {
		tool := shellTool(t, script, "", templates...)
		got, err := run(t, tool, &dispatch.Call{}, c.args)
		want, _ := json.Marshal(map[string]any{"stdout": c.want, "exit_code": 0})
		if err != nil || !sameJSON(got, string(want)) {
			t.Errorf("%s: got %s, %v; want %s", c.args, got, err, want)
		}
	}
	for _, args := range []string{`{"path":["a"]}`, `{"path":{}}`, `{"files":[["a"]]}`, `{"files":[null]}`, `[]`, `{"path":"a\u0000b"}`} {
		_, err := run(t, shellTool(t, script, "", templates...), &dispatch.Call{}, args)
		var refused *dispatch.ArgsError
		if !errors.As(err, &refused) {
			t.Errorf("%s: %v, want an ArgsError", args, err)
		}
	}
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

func TestCLIRefusesArgumentsThatAreTooLong(t *testing.T) {
	args := fmt.Sprintf(`{"path":%q}`, strings.Repeat("x", 8<<20))
	_, err := run(t, shellTool(t, "true", "", "{path}"), &dispatch.Call{}, args)
	var refused *dispatch.ArgsError
	if !errors.As(err, &refused) || len(refused.Message) > 200 {
		t.Errorf("%T, want a short ArgsError", err)
	}
}

func TestCLIStdinAndDir(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	tool := shellTool(t, `cat; pwd`, `,"stdin":"<{text}>"`)
	for args, want := range map[string]string{`{"text":"hello\n"}`: "<hello\n>", `{}`: ""} {
		got, err := run(t, tool, &dispatch.Call{Dir: dir}, args)
		wanted, _ := json.Marshal(map[string]any{"stdout": want + dir + "\n", "exit_code": 0})
		if err != nil || !sameJSON(got, string(wanted)) {
			t.Errorf("%s: %s, %v, want %s", args, got, err, wanted)
		}
	}
	// A program that does not read its input ends all the same.
	long := fmt.Sprintf(`{"text":%q}`, strings.Repeat("x", 1<<20))
	if _, err := run(t, shellTool(t, `true`, `,"stdin":"{text}"`), &dispatch.Call{}, long); err != nil {
		t.Error(err)
	}
}

func TestCLIExitCodes(t *testing.T) {
	for _, c := range []struct{ script, code, message string }{
		{`echo out; echo why >&2; exit 3`, "EXIT_3", "why"},
		{`exit 7`, "EXIT_7", "the program ended with exit code 7"},
		{`kill -9 $$`, "EXIT_137", "the program ended with exit code 137"},
	} {
		_, err := run(t, shellTool(t, c.script, ""), &dispatch.Call{}, `{}`)
		if !isFailure(err, c.code, false) || err.Error() != c.code+": "+c.message {
			t.Errorf("%s: %v", c.script, err)
		}
	}
	script := `i=0; while [ $i -lt 3000 ]; do echo "ümlaut $i" >&2; i=$((i+1)); done; exit 1`
	_, err := run(t, shellTool(t, script, ""), &dispatch.Call{}, `{}`)
	var f *dispatch.Failure
	if !errors.As(err, &f) || !strings.HasSuffix(f.Message, "ümlaut 2999") || len(f.Message) > dispatch.MaxStderr || strings.Contains(f.Message, "\uFFFD") {
		t.Errorf("not the end of the standard error: %.100v", err)
	}
}

func TestCLIOutput(t *testing.T) {
	got, err := run(t, shellTool(t, `printf 'a\377b'; echo talk >&2`, ""), &dispatch.Call{}, `{}`)
	if err != nil || !sameJSON(got, `{"stdout":"a\ufffdb","exit_code":0}`) {
		t.Errorf("%s, %v", got, err)
	}
	exact := shellTool(t, `printf 1234567890`, "")
	if got, err := run(t, exact, &dispatch.Call{MaxOutput: 10}, `{}`); err != nil {
		t.Errorf("10 bytes of 10: %s, %v", got, err)
	}
	if _, err := run(t, exact, &dispatch.Call{MaxOutput: 9}, `{}`); !isFailure(err, dispatch.FailOutputTooLarge, false) {
		t.Errorf("10 bytes of 9: %v", err)
	}
}

// A watch sees when the last process that holds its FIFO is gone.
type watch struct {
	path string
	file *os.File
}

func newWatch(t *testing.T) *watch {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	r, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	t.Cleanup(func() { r.Close() })
	return &watch{path, r}
}

// gone fails the test unless something has held the FIFO, and nothing does.
func (w *watch) gone(t *testing.T) {
	t.Helper()
	if err := w.file.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(w.file)
	if err != nil || string(text) != "here\n" {
		t.Errorf("a process is left (read %q, %v)", text, err)
	}
}

// holding is a script whose processes hold the FIFO $1.
const holding = `exec 3>"$1"; echo here >&3; `

func TestCLIKillsTheWholeGroup(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		check  func(string, error) bool
	}{
		"at the deadline": {`(trap '' TERM HUP; sleep 100) & sleep 100`, func(_ string, err error) bool { return isFailure(err, audit.CodeTimeout, true) }},
		"for its output":  {`sleep 100 & yes`, func(_ string, err error) bool { return isFailure(err, dispatch.FailOutputTooLarge, false) }},
		"at its end":      {`sleep 100 & echo done`, func(got string, err error) bool { return err == nil && strings.Contains(got, "done") }},
		"when it fails":   {`sleep 100 & exit 4`, func(_ string, err error) bool { return isFailure(err, "EXIT_4", false) }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWatch(t)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			start := time.Now()
			got, err := runIn(ctx, t, shellTool(t, holding+c.script, "", "{fifo}"), &dispatch.Call{MaxOutput: 1 << 16}, fmt.Sprintf(`{"fifo":%q}`, w.path))
			if !c.check(got, err) {
				t.Errorf("%q, %v", got, err)
			}
			if took := time.Since(start); took > 4*time.Second {
				t.Errorf("it took %v", took)
			}
			w.gone(t)
		})
	}
}

func TestCLICancelled(t *testing.T) {
	w := newWatch(t)
	ctx, cancel := context.WithCancel(t.Context())
	stop := time.AfterFunc(200*time.Millisecond, cancel)
	defer stop.Stop()
	_, err := runIn(ctx, t, shellTool(t, holding+`sleep 100`, "", "{fifo}"), &dispatch.Call{}, fmt.Sprintf(`{"fifo":%q}`, w.path))
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	w.gone(t)
}

// A process that leaves the group may hold the output open, and the call ends
// all the same.
func TestCLIDoesNotWaitForWhoGotAway(t *testing.T) {
	if _, err := exec.LookPath("setsid"); err != nil {
		t.Skip("there is no setsid")
	}
	start := time.Now()
	got, err := run(t, shellTool(t, `setsid sleep 8 & sleep 0.3; echo done`, ""), &dispatch.Call{}, `{}`)
	if err != nil || !strings.Contains(got, "done") {
		t.Errorf("%s, %v", got, err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestCLISecretsAndEnvironment(t *testing.T) {
	t.Setenv("TOOLTRAIL_TEST_OWN", "own-key")
	tool := shellTool(t, `echo "$TOKEN:$OTHER:$TOOLTRAIL_TEST_OWN"; test -n "$PATH"`, `,"secret_env":{"TOKEN":"api","OTHER":"absent"}`)
	c := &dispatch.Call{Secrets: dispatch.Secrets{"api": dispatch.NewSecret("s3cret")}}
	got, err := run(t, tool, c, `{}`)
	if err != nil || !sameJSON(got, `{"stdout":"s3cret::\n","exit_code":0}`) {
		t.Errorf("%s, %v", got, err)
	}
}

func TestCLICannotStart(t *testing.T) {
	d := cliDefinition(`{"program":"/no/such/program","args":["{word}"],"secret_env":{"TOKEN":"api"}}`)
	tool, err := dispatch.CLI(d, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &dispatch.Call{Secrets: dispatch.Secrets{"api": dispatch.NewSecret("s3cret")}}
	_, err = run(t, tool, c, `{"word":"private"}`)
	var internal *dispatch.InternalError
	if !errors.As(err, &internal) || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "private") {
		t.Errorf("%v, want an InternalError", err)
	}
}

func TestCLIRefusesItsConfig(t *testing.T) {
	for _, config := range []string{
		``, `{}`, `{"program":""}`, `{"program":"x","shell":true}`, `{"program":"x","args":["{"]}`,
		`{"program":"x","args":["{}"]}`, `{"program":"x","stdin":"a{b"}`, `{"program":"x","secret_env":{"A=B":"c"}}`,
	} {
		if _, err := dispatch.CLI(cliDefinition(config), nil); err == nil {
			t.Errorf("%s was accepted", config)
		}
	}
	if _, err := dispatch.CLI(dispatch.Definition{ID: "x"}, nil); err == nil {
		t.Error("no binding was accepted")
	}
}
