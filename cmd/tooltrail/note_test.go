package main

import (
	"testing"

	"github.com/tooltrail/tooltrail/internal/term"
)

func TestNoteText(t *testing.T) {
	for _, c := range []struct{ line, text string }{
		{`{"note":"lost","ts":"2026-11-24T00:00:00+00:00","seq":4,"lost":{"count":1,"reason":"closed"}}`, "1 event lost: closed"},
		{`{"note":"stop","ts":"2026-11-24T00:00:00+00:00","written":3,"lost_total":17,"seq":20}`, "recording ended: 3 written, 17 lost"},
		{`{"note":"start","ts":"2026-11-24T00:00:00+00:00","version":"1.2","pid":7,"host":"a\u001bb"}`, `recording began: process 7 on a\x1bb, tooltrail 1.2`},
		{`{"note":"recovered","ts":"2026-11-24T00:00:00+00:00","torn":9,"tail":"{\"ts","seq":2,"lost":{"count":2,"reason":"killed"}}`, `2 events lost: killed; recovered: torn=9 tail={"ts seq=2`},
		{`{"note":"alive","ts":"2026-11-24T00:00:00+00:00"}`, "alive"},
		{`{"note":"of_a_later_version","ts":"2026-11-24T00:00:00+00:00","x":{"y":[1]}}`, `of_a_later_version: x={"y":[1]}`},
	} {
		n, err := parseNote([]byte(c.line))
		if err != nil || n.text() != c.text {
			t.Errorf("%s:\n%q, %v; want %q", c.line, n.text(), err, c.text)
		}
	}
}

func FuzzNote(f *testing.F) {
	f.Add([]byte(`{"note":"lost","ts":"2026-11-24T00:00:00+00:00","lost":{"count":1,"reason":"\u001b[2J"}}`))
	f.Add([]byte(`{"note":"x","lost":null,"ts":5}`))
	f.Add([]byte(`{"note":`))
	f.Fuzz(func(t *testing.T, line []byte) {
		n, err := parseNote(line)
		if err == nil && term.Safe(n.text()) != n.text() {
			t.Fatalf("%q has power over a terminal", n.text())
		}
	})
}
