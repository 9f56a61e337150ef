package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tooltrail/tooltrail/internal/term"
)

// A note is a trail's remark about itself, for showing.
type note struct {
	kind    string
	at      time.Time
	members []member // the others, in their order
	lost    *lostNote
}

type member struct {
	key   string
	value json.RawMessage
}

type lostNote struct {
	Count  uint64 `json:"count"`
	Reason string `json:"reason"`
}

// parseNote reads a note's line.
func parseNote(line []byte) (note, error) {
	var n note
	d := json.NewDecoder(bytes.NewReader(line))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return n, errors.New("the note is not a JSON object")
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return n, fmt.Errorf("read note: %w", err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return n, fmt.Errorf("read note: %w", err)
		}
		if err := n.take(key.(string), value); err != nil {
			return n, fmt.Errorf("read note: %s: %w", key, err)
		}
	}
	if _, err := d.Token(); err != nil {
		return n, fmt.Errorf("read note: %w", err)
	}
	return n, nil
}

func (n *note) take(key string, value json.RawMessage) error {
	switch key {
	case "note":
		return json.Unmarshal(value, &n.kind)
	case "ts":
		return json.Unmarshal(value, &n.at)
	case "lost":
		if value[0] == '{' {
			return json.Unmarshal(value, &n.lost)
		}
	}
	n.members = append(n.members, member{key, value})
	return nil
}

// text says what the note says, in one line.
func (n note) text() string {
	switch {
	case n.kind == "lost" && n.lost != nil:
		return lossText(n.lost.Count, n.lost.Reason)
	case n.kind == "start":
		return term.Safe(fmt.Sprintf("recording began: process %s on %s, tooltrail %s", n.get("pid"), n.get("host"), n.get("version")))
	case n.kind == "stop":
		return term.Safe(fmt.Sprintf("recording ended: %s written, %s lost", n.get("written"), n.get("lost_total")))
	case n.kind == "epoch":
		return term.Safe(fmt.Sprintf("a new key seals from here on: epoch %s", n.get("epoch")))
	case n.kind == "redact":
		return term.Safe(fmt.Sprintf("line %s was erased: %s", n.get("index"), n.get("reason")))
	case n.kind == "accepted":
		return term.Safe(fmt.Sprintf("lines %s up to %s are missing or changed, and given up: %s", n.get("first"), n.get("next"), n.get("reason")))
	case n.kind == "continues":
		return "this trail takes the place of one that could not be continued"
	case n.kind == "intent":
		return "about to run: " + n.call()
	case n.kind == "settled":
		return term.Safe(fmt.Sprintf("calls that an earlier process left open: %s", n.get("abandoned")))
	case n.kind == "config" && n.get("seal") == "off":
		return "recorded without a seal"
	case n.kind == "witness":
		return term.Safe(fmt.Sprintf("witness %s %s: %s", n.get("witness"), n.get("state"), n.get("error")))
	}
	parts := make([]string, 0, len(n.members))
	for _, m := range n.members {
		parts = append(parts, m.key+"="+plainValue(m.value))
	}
	text := strings.TrimSpace(n.kind + ": " + strings.Join(parts, " "))
	if n.lost != nil {
		text = lossText(n.lost.Count, n.lost.Reason) + "; " + text
	}
	return term.Safe(strings.TrimSuffix(text, ":"))
}

// call names the call of an intent.
func (n note) call() string {
	var call struct {
		ID   string `json:"call_id"`
		Tool string `json:"tool_id"`
	}
	_ = json.Unmarshal([]byte(n.get("call")), &call)
	return term.Safe(call.Tool + " " + call.ID)
}

// get returns a member's value, or noValue.
func (n note) get(key string) string {
	for _, m := range n.members {
		if m.key == key {
			return plainValue(m.value)
		}
	}
	return noValue
}

// colour is what the note's row is painted in: losses and trouble stand out.
func (n note) colour() term.Colour {
	switch {
	case n.lost != nil:
		return term.Red
	case n.kind == "degraded", n.kind == "replaced", n.kind == "clock_step", n.kind == "recovered", n.kind == "accepted":
		return term.Yellow
	}
	return term.Dim
}

// plainValue is a JSON value without the quotes of a string.
func plainValue(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) == nil {
		return s
	}
	return string(value)
}

func lossText(count uint64, reason string) string {
	what := "events"
	if count == 1 {
		what = "event"
	}
	return fmt.Sprintf("%d %s lost: %s", count, what, term.Safe(reason))
}
