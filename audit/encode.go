package audit

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// MaxLineBytes is the size that no encoded line exceeds, in bytes without the
// newline. With it, a line is no larger than an entry of a tlog-tiles bundle
// (https://c2sp.org/tlog-tiles: 65,535 bytes), so that every line can be sealed.
const MaxLineBytes = 65_534

// AppendJSON appends ev as one line of JSON without a newline, and returns the
// extended slice. Strings and lists over their limits are cut, and what they
// were is kept in the line's truncated field. The result never exceeds
// [MaxLineBytes]. It does not allocate unless something must be cut, or dst
// must grow.
func (ev *CallEvent) AppendJSON(dst []byte) []byte {
	var e encoder
	return e.append(dst, ev)
}

// MarshalJSON returns the line that [CallEvent.AppendJSON] makes. (The functions
// of encoding/json may escape it further.)
func (ev CallEvent) MarshalJSON() ([]byte, error) { return ev.AppendJSON(nil), nil }

// An encoder makes lines. It is not safe for concurrent use; the zero value is
// ready.
type encoder struct {
	clock   clock
	invalid bool // a string of the current event was not UTF-8
}

// lostRoom is the space that a line leaves for the declaration of a loss, which
// may have to be put in later.
const lostRoom = 192

// append appends ev's line, cutting what is too long and mending what is not
// UTF-8.
func (e *encoder) append(dst []byte, ev *CallEvent) []byte {
	if !usual.admits(ev) {
		ev = usual.cut(ev)
	}
	start := len(dst)
	dst = e.appendEvent(dst, ev)
	if e.invalid {
		ev = usual.cut(ev)
		dst = e.appendEvent(dst[:start], ev)
	}
	if len(dst)-start > MaxLineBytes-lostRoom {
		dst = e.appendEvent(dst[:start], tight.cut(ev))
	}
	return dst
}

func (e *encoder) appendEvent(dst []byte, ev *CallEvent) []byte {
	e.invalid = false
	dst = e.appendCall(dst, ev)
	dst = e.appendStream(dst, ev)
	dst = e.appendCorrelation(dst, ev)
	dst = e.appendEvidence(dst, ev)
	return append(dst, '}')
}

// appendCall appends the fields of ATD's schema 3, in its order.
func (e *encoder) appendCall(dst []byte, ev *CallEvent) []byte {
	dst = append(dst, `{"ts":"`...)
	if ev.Time.IsZero() {
		dst = e.clock.append(dst, time.Now())
	} else {
		dst = e.clock.append(dst, ev.Time)
	}
	dst = append(dst, `","call_id":`...)
	dst = e.string(dst, ev.CallID)
	dst = append(dst, `,"tool_id":`...)
	dst = e.string(dst, ev.ToolID)
	dst = e.field(dst, `,"caller_id":`, ev.CallerID)
	dst = append(dst, `,"granted_capabilities":`...)
	dst = e.strings(dst, ev.GrantedCapabilities)
	dst = append(dst, `,"duration_ms":`...)
	dst = strconv.AppendInt(dst, max(ev.Duration.Milliseconds(), 0), 10)
	dst = append(dst, `,"outcome":`...)
	dst = e.outcome(dst, &ev.Outcome)
	dst = append(dst, settings[settingsIndex(ev.Tier, ev.DryRun, ev.SecretsResolved)]...)
	if ev.CursorPage != 0 {
		dst = append(dst, `,"cursor_page":`...)
		dst = strconv.AppendUint(dst, uint64(ev.CursorPage), 10)
	}
	if len(ev.CapabilityProvenance) > 0 {
		dst = append(dst, `,"capability_provenance":`...)
		dst = e.provenance(dst, ev.CapabilityProvenance)
	}
	return dst
}

// settings are the fields from tier to secrets_resolved, for each of the few
// values that they can have together.
var settings = func() (text [16]string) {
	for tier := TierWarm; tier <= TierCold; tier++ {
		for _, dryRun := range []bool{false, true} {
			for _, secrets := range []bool{false, true} {
				text[settingsIndex(tier, dryRun, secrets)] = fmt.Sprintf(
					`,"tier":"%s","dry_run":%t,"schema_version":%d,"secrets_resolved":%t`, tier, dryRun, SchemaVersion, secrets)
			}
		}
	}
	return text
}()

func settingsIndex(tier Tier, dryRun, secrets bool) int {
	i := 0
	if tier <= TierCold {
		i = int(tier) << 2
	}
	if dryRun {
		i |= 2
	}
	if secrets {
		i |= 1
	}
	return i
}

// appendStream appends the event's place in its stream, and its timing.
func (e *encoder) appendStream(dst []byte, ev *CallEvent) []byte {
	if ev.Seq != 0 {
		dst = append(dst, `,"seq":`...)
		dst = strconv.AppendUint(dst, ev.Seq, 10)
	}
	if ev.Lost != nil {
		dst = append(dst, `,"lost":`...)
		dst = e.lost(dst, ev.Lost)
	}
	dst = append(dst, `,"duration_us":`...)
	dst = strconv.AppendInt(dst, max(ev.Duration.Microseconds(), 0), 10)
	dst = integer(dst, `,"overhead_us":`, ev.Overhead.Microseconds())
	return append(dst, name(deciderFields, uint8(ev.DecidedBy))...)
}

// appendCorrelation appends who called, in which session, and by which way.
func (e *encoder) appendCorrelation(dst []byte, ev *CallEvent) []byte {
	dst = e.field(dst, `,"principal":`, ev.Principal)
	dst = e.field(dst, `,"session_id":`, ev.SessionID)
	if ev.RequestID != "" {
		dst = append(dst, `,"request_id":`...)
		dst = e.requestID(dst, ev.RequestID)
	}
	dst = e.field(dst, `,"trace_id":`, ev.TraceID)
	dst = e.field(dst, `,"span_id":`, ev.SpanID)
	dst = e.field(dst, `,"parent_call_id":`, ev.ParentCallID)
	dst = e.field(dst, `,"server":`, ev.Server)
	dst = append(dst, name(transportFields, uint8(ev.Transport))...)
	return e.field(dst, `,"client":`, ev.Client)
}

// appendEvidence appends what is kept of the content, and remarks.
func (e *encoder) appendEvidence(dst []byte, ev *CallEvent) []byte {
	dst = integer(dst, `,"args_bytes":`, ev.ArgsBytes)
	dst = integer(dst, `,"result_bytes":`, ev.ResultBytes)
	dst = e.field(dst, `,"args_mac":`, ev.ArgsMAC)
	dst = e.field(dst, `,"result_mac":`, ev.ResultMAC)
	if ev.Args != "" {
		dst = append(dst, `,"args":`...)
		dst = e.content(dst, ev.Args)
	}
	if ev.Result != "" {
		dst = append(dst, `,"result":`...)
		dst = e.content(dst, ev.Result)
	}
	if len(ev.Truncated) > 0 {
		dst = append(dst, `,"truncated":`...)
		dst = e.truncated(dst, ev.Truncated)
	}
	if len(ev.Flags) > 0 {
		dst = append(dst, `,"flags":`...)
		dst = e.strings(dst, ev.Flags)
	}
	return dst
}

func (e *encoder) outcome(dst []byte, o *Outcome) []byte {
	switch o.Kind {
	case KindSuccess:
		return append(dst, `{"kind":"success"}`...)
	case KindToolNotFound:
		return append(dst, `{"kind":"tool_not_found"}`...)
	case KindInvalidArgs:
		dst = append(dst, `{"kind":"invalid_args","message":`...)
		dst = e.string(dst, o.Message)
	case KindCapabilityDenied:
		dst = append(dst, `{"kind":"capability_denied","missing":`...)
		dst = e.strings(dst, o.Missing)
	case KindRateLimited:
		dst = append(dst, `{"kind":"rate_limited","retry_after_ms":`...)
		dst = retryAfter(dst, o.RetryAfter)
	case KindExecutionFailed:
		dst = e.executionFailed(dst, o.Code, o.Retryable)
	default:
		dst = e.executionFailed(dst, CodeInternal, false)
	}
	return append(dst, '}')
}

func (e *encoder) executionFailed(dst []byte, code string, retryable bool) []byte {
	dst = append(dst, `{"kind":"execution_failed","code":`...)
	dst = e.string(dst, code)
	dst = append(dst, `,"retryable":`...)
	return strconv.AppendBool(dst, retryable)
}

func retryAfter(dst []byte, d time.Duration) []byte {
	if d <= 0 {
		return append(dst, "null"...)
	}
	d = min(d, math.MaxInt64-time.Millisecond)
	return strconv.AppendInt(dst, int64((d+time.Millisecond-1)/time.Millisecond), 10)
}

func (e *encoder) provenance(dst []byte, list []Provenance) []byte {
	for i := range list {
		p := &list[i]
		dst = append(dst, opening(i))
		dst = append(dst, `{"cap":`...)
		dst = e.string(dst, p.Cap)
		dst = append(dst, `,"source":{"kind":`...)
		dst = e.string(dst, p.Source.Kind)
		if p.Source.Kind == ucanChain {
			dst = append(dst, `,"issuer_did":`...)
			dst = e.string(dst, p.Source.IssuerDID)
			dst = append(dst, `,"chain_depth":`...)
			dst = strconv.AppendUint(dst, uint64(p.Source.ChainDepth), 10)
		}
		dst = append(dst, "}}"...)
	}
	return append(dst, ']')
}

const ucanChain = "ucan_chain"

func (e *encoder) lost(dst []byte, l *Lost) []byte {
	dst = append(dst, `{"count":`...)
	dst = strconv.AppendUint(dst, l.Count, 10)
	dst = append(dst, `,"first_ts":"`...)
	dst = e.clock.append(dst, l.First)
	dst = append(dst, `","last_ts":"`...)
	dst = e.clock.append(dst, l.Last)
	dst = append(dst, `","reason":`...)
	dst = e.string(dst, shorten(string(l.Reason), 64))
	return append(dst, '}')
}

func (e *encoder) truncated(dst []byte, list []Truncation) []byte {
	for i := range list {
		t := &list[i]
		dst = append(dst, opening(i))
		dst = append(dst, `{"field":`...)
		dst = e.string(dst, t.Field)
		dst = append(dst, `,"bytes":`...)
		dst = strconv.AppendInt(dst, max(t.Bytes, 0), 10)
		dst = e.field(dst, `,"sha256":`, t.SHA256)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// string appends s and remembers whether it had to be mended.
func (e *encoder) string(dst []byte, s string) []byte {
	if plain(s) {
		dst = append(dst, '"')
		dst = append(dst, s...)
		return append(dst, '"')
	}
	dst, valid := appendEscaped(dst, s)
	e.invalid = e.invalid || !valid
	return dst
}

// field appends key and s, or nothing where s is empty.
func (e *encoder) field(dst []byte, key, s string) []byte {
	if s == "" {
		return dst
	}
	return e.string(append(dst, key...), s)
}

func (e *encoder) strings(dst []byte, list []string) []byte {
	if len(list) == 0 {
		return append(dst, "[]"...)
	}
	for i, s := range list {
		dst = append(dst, opening(i))
		dst = e.string(dst, s)
	}
	return append(dst, ']')
}

// opening is what stands before element i of an array.
func opening(i int) byte {
	if i == 0 {
		return '['
	}
	return ','
}

// integer appends key and n, or nothing where n is not positive.
func integer(dst []byte, key string, n int64) []byte {
	if n <= 0 {
		return dst
	}
	return strconv.AppendInt(append(dst, key...), n, 10)
}

var (
	deciderFields   = wordFields("decided_by", deciderNames[:])
	transportFields = wordFields("transport", transportNames[:])
)

// wordFields returns the whole field for each of its possible values, and
// nothing for the empty one.
func wordFields(key string, names []string) []string {
	fields := make([]string, len(names))
	for i, n := range names {
		if n != "" {
			fields[i] = fmt.Sprintf(`,"%s":"%s"`, key, n)
		}
	}
	return fields
}
