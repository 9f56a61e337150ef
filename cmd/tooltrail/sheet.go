package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/internal/term"
)

// A sheet collects the fields of a call; those that are empty are left out.
type sheet struct{ fields []field }

func (s *sheet) text(name, value string) {
	if value != "" {
		s.fields = append(s.fields, field{name: name, value: value})
	}
}

func (s *sheet) number(name string, n int64) {
	if n != 0 {
		s.text(name, strconv.FormatInt(n, 10))
	}
}

// block adds a value of several lines.
func (s *sheet) block(name, value string) {
	for line := range strings.Lines(value) {
		s.fields = append(s.fields, field{name: name, value: strings.TrimSuffix(line, "\n")})
		name = ""
	}
}

// sheetOf returns everything that is recorded of a call, under the names that
// the fields have in the line, and where the line stands.
func sheetOf(f found, zone *time.Location) []field {
	s := &sheet{}
	s.call(f.event, zone)
	s.outcome(f.event)
	s.who(f.event)
	s.evidence(f.event)
	s.text("trail", f.line.Trail)
	s.text("segment", f.line.Segment)
	s.text("line", strconv.FormatUint(f.line.Index, 10))
	s.text("offset", strconv.FormatInt(f.line.Offset, 10))
	return s.fields
}

const sheetTime = "2006-01-02 15:04:05.999999999 -07:00"

func (s *sheet) call(ev *audit.CallEvent, zone *time.Location) {
	s.text("call_id", ev.CallID)
	s.text("tool_id", ev.ToolID)
	s.text("ended", ev.Time.In(zone).Format(sheetTime))
	s.text("began", ev.Time.Add(-ev.Duration).In(zone).Format(sheetTime))
	s.text("duration", durationText(ev))
	if ev.Overhead > 0 {
		s.text("overhead", shortDuration(ev.Overhead))
	}
}

func (s *sheet) outcome(ev *audit.CallEvent) {
	o := ev.Outcome
	s.fields = append(s.fields, field{"outcome", o.Kind.String(), outcomeColour(o.Kind)})
	switch o.Kind {
	case audit.KindExecutionFailed:
		s.text("  code", o.Code)
		s.text("  retryable", strconv.FormatBool(o.Retryable))
	case audit.KindInvalidArgs:
		s.text("  message", o.Message)
	case audit.KindCapabilityDenied:
		s.text("  missing", strings.Join(o.Missing, ", "))
	case audit.KindRateLimited:
		s.text("  retry after", retryAfter(o.RetryAfter))
	}
	s.text("decided_by", ev.DecidedBy.String())
	if ev.DryRun {
		s.text("dry_run", "true: answered without running the tool")
	}
}

func retryAfter(d time.Duration) string {
	if d == 0 {
		return "unknown"
	}
	return d.String()
}

func (s *sheet) who(ev *audit.CallEvent) {
	s.text("caller_id", ev.CallerID)
	s.text("principal", ev.Principal)
	s.text("client", ev.Client)
	s.text("server", ev.Server)
	s.text("transport", ev.Transport.String())
	s.text("session_id", ev.SessionID)
	s.text("request_id", ev.RequestID)
	s.text("trace_id", ev.TraceID)
	s.text("span_id", ev.SpanID)
	s.text("parent_call_id", ev.ParentCallID)
	s.text("capabilities", strings.Join(ev.GrantedCapabilities, ", "))
	for _, p := range ev.CapabilityProvenance {
		s.text("  "+term.Safe(p.Cap), provenanceText(p.Source))
	}
	s.text("tier", ev.Tier.String())
	if ev.SecretsResolved {
		s.text("secrets_resolved", "true")
	}
	s.number("cursor_page", int64(ev.CursorPage))
}

func provenanceText(p audit.ProvenanceSource) string {
	if p.IssuerDID == "" {
		return "from " + p.Kind
	}
	return fmt.Sprintf("from %s of %s, depth %d", p.Kind, p.IssuerDID, p.ChainDepth)
}

func (s *sheet) evidence(ev *audit.CallEvent) {
	s.number("args_bytes", ev.ArgsBytes)
	s.number("result_bytes", ev.ResultBytes)
	s.text("args_mac", ev.ArgsMAC)
	s.text("result_mac", ev.ResultMAC)
	s.block("args", indented(ev.Args))
	s.block("result", indented(ev.Result))
	for _, t := range ev.Truncated {
		s.text("truncated", truncationText(t))
	}
	s.text("flags", strings.Join(ev.Flags, ", "))
	if l := ev.Lost; l != nil {
		s.fields = append(s.fields, field{"lost before", lossText(l.Count, string(l.Reason)), term.Red})
	}
	if ev.Seq != 0 {
		s.text("seq", strconv.FormatUint(ev.Seq, 10))
	}
	s.number("schema_version", int64(ev.SchemaVersion))
}

func truncationText(t audit.Truncation) string {
	if t.SHA256 == "" {
		return fmt.Sprintf("%s had %d elements", t.Field, t.Bytes)
	}
	return fmt.Sprintf("%s had %d bytes, SHA-256 %s", t.Field, t.Bytes, t.SHA256)
}

// indented lays captured JSON out for reading; other text stays as it is.
func indented(text string) string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(text), "", "  ") != nil {
		return text
	}
	return b.String()
}
