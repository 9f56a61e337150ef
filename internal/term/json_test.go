package term

import (
	"encoding/json"
	"reflect"
	"testing"
	"unicode/utf8"
)

func TestSafeJSON(t *testing.T) {
	for in, want := range map[string]string{
		`{"a":"b"}`:                `{"a":"b"}`,
		"{\t\"a\" :\r\"ツ\u202e\"}": `{ "a" : "ツ\u202e"}`,
		"\"\u009b2J\U000e0041\"":   `"\u009b2J\udb40\udc41"`,
		"\"\x1b]0;x\x07\xff\"":     `"\u001b]0;x\u0007\ufffd"`,
	} {
		if got := SafeJSON(in); got != want {
			t.Errorf("SafeJSON(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzSafeJSON(f *testing.F) {
	for _, s := range []string{`{"a":["\u202e\\"]}`, "{\"a\":\t\"\u200b\U000e0041\"}", "\x1b[31m\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		safe := SafeJSON(s)
		if Safe(safe) != safe {
			t.Fatalf("SafeJSON(%q) = %q has power over a terminal", s, safe)
		}
		var before, after any
		if !utf8.ValidString(s) || json.Unmarshal([]byte(s), &before) != nil {
			return
		}
		if err := json.Unmarshal([]byte(safe), &after); err != nil || !reflect.DeepEqual(before, after) {
			t.Fatalf("SafeJSON(%q) = %q: %v", s, safe, err)
		}
	})
}
