package main

import (
	"strings"
	"testing"
)

func TestStoredLines(t *testing.T) {
	const line = "{\"tool_id\":\"\x1b[2J\u202e\"}"
	for safe, want := range map[bool]string{
		false: line + "\n",
		true:  `{"tool_id":"\u001b[2J\u202e"}` + "\n",
	} {
		var b strings.Builder
		if err := (&lineWriter{&b, safe}).write([]byte(line)); err != nil || b.String() != want {
			t.Errorf("safe %v: %q, %v; want %q", safe, b.String(), err, want)
		}
	}
}
