package dispatch_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/dispatch"
)

const tokenOfA = "hunter2-value"

func brokerFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secrets.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFileBroker(t *testing.T) {
	b, err := dispatch.OpenFileBroker(brokerFile(t, `{"callers":{
		"agent-A":{"principal":"os:alice","secrets":{"TOKEN":"`+tokenOfA+`"}},
		"agent-B":{"secrets":{"TOKEN":"b"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		who   dispatch.Caller
		token string // "" is no secrets
		fails bool
	}{
		{who: dispatch.Caller{ID: "agent-A", Principal: "os:alice"}, token: tokenOfA},
		{who: dispatch.Caller{ID: "agent-A", Principal: "os:mallory"}, fails: true},
		{who: dispatch.Caller{ID: "agent-A"}, fails: true},
		{who: dispatch.Caller{ID: "agent-B"}, token: "b"},
		{who: dispatch.Caller{ID: "agent-C", Principal: "os:alice"}},
		{who: dispatch.Caller{Principal: "os:alice"}},
	} {
		s, err := b.Secrets(context.Background(), tt.who)
		if (err != nil) != tt.fails || (s != nil) != (tt.token != "") || s["TOKEN"].Reveal() != tt.token {
			t.Errorf("%+v: %d secrets, %v", tt.who, len(s), err)
		}
		if err != nil && strings.Contains(err.Error(), tokenOfA) {
			t.Errorf("%+v: the error tells the value", tt.who)
		}
	}
}

func TestFileBrokerRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"empty":          ``,
		"null":           `null`,
		"no callers":     `{}`,
		"unknown member": `{"callers":{},"` + tokenOfA + `":1}`,
		"unknown below":  `{"callers":{"a":{"secret":"` + tokenOfA + `"}}}`,
		"other case":     `{"Callers":{"a":{"secrets":{"T":"` + tokenOfA + `"}}}}`,
		"not a string":   `{"callers":{"a":{"secrets":{"T":["` + tokenOfA + `"]}}}}`,
		"not JSON":       `{"callers":{"a":{"secrets":{"T":` + tokenOfA + `}}}}`,
		"cut short":      `{"callers":{"a":{"secrets":{"T":"` + tokenOfA,
		"twice":          `{"callers":{"` + tokenOfA + `":{},"` + tokenOfA + `":{}}}`,
		"trailing":       `{"callers":{}} ` + tokenOfA,
		"too large":      `{"callers":{}}` + strings.Repeat(" ", 1<<20),
	} {
		_, err := dispatch.OpenFileBroker(brokerFile(t, text))
		if err == nil {
			t.Errorf("%s: accepted", name)
		} else if strings.Contains(err.Error(), tokenOfA) {
			t.Errorf("%s: the error tells the value: %v", name, err)
		}
	}
	if _, err := dispatch.OpenFileBroker(t.TempDir()); err == nil {
		t.Error("a folder is accepted")
	}
}

func TestFileBrokerMode(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no modes")
	}
	path := brokerFile(t, `{"callers":{}}`)
	b, err := dispatch.OpenFileBroker(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o610} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Secrets(context.Background(), dispatch.Caller{ID: "a"}); err == nil {
			t.Errorf("mode %04o is accepted", mode)
		}
	}
}

func TestFileBrokerReadsAgain(t *testing.T) {
	path := brokerFile(t, `{"callers":{"a":{"secrets":{"T":"1"}}}}`)
	b, err := dispatch.OpenFileBroker(path)
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string, at time.Time) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	a := dispatch.Caller{ID: "a"}
	write(`{"callers":{"a":{"secrets":{"T":"2"}}}}`, time.Now().Add(time.Hour))
	if s, err := b.Secrets(context.Background(), a); err != nil || s["T"].Reveal() != "2" {
		t.Errorf("after a change: %q, %v", s["T"].Reveal(), err)
	}
	write(`{"callers":`, time.Now().Add(2*time.Hour))
	if s, err := b.Secrets(context.Background(), a); err == nil || s != nil {
		t.Errorf("a file that broke gives what it said before: %v", err)
	}
	write(`{"callers":{}}`, time.Now().Add(3*time.Hour))
	if s, err := b.Secrets(context.Background(), a); err != nil || s != nil {
		t.Errorf("revoked: %d secrets, %v", len(s), err)
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	s := dispatch.Secrets{"T": dispatch.NewSecret(tokenOfA)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if got := fmt.Sprintf(verb, s); strings.Contains(got, tokenOfA) || strings.Contains(got, fmt.Sprintf("%x", tokenOfA)) {
			t.Errorf("%s shows %s", verb, got)
		}
	}
}
