package audit

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// ErrNote is returned by [Decode] for a line that is a note, a stream's remark
// about itself, and not an event.
var ErrNote = errors.New("audit: the line is a note, not an event")

// Decode reads one line, with or without its newline, of any schema version.
// Fields may stand in any order; unknown fields and unknown names in decided_by
// and transport are passed over, so that lines of later versions can be read.
// What a version lacks is left zero. A line that is no JSON object, whose
// fields have other types, or that lacks ts, tool_id or outcome is an error.
// The event shares no memory with line.
func Decode(line []byte) (*CallEvent, error) {
	ev := new(CallEvent)
	if err := ev.UnmarshalJSON(line); err != nil {
		return nil, err
	}
	return ev, nil
}

// UnmarshalJSON reads one line into ev; see [Decode].
func (ev *CallEvent) UnmarshalJSON(line []byte) error {
	d := decoder{lexer: lexer{text: string(line)}, durationUS: -1}
	*ev = CallEvent{}
	d.object(func(key string) { d.eventField(ev, key) })
	d.end()
	switch {
	case d.err != nil:
		return fmt.Errorf("audit: decode event at byte %d: %w", d.pos, d.err)
	case d.isNote && !d.has(seenTime|seenTool):
		return ErrNote
	case !d.has(seenTime | seenTool | seenOutcome):
		return errors.New("audit: decode event: ts, tool_id or outcome is missing")
	}
	if d.durationUS >= 0 {
		ev.Duration = d.durationUS
	}
	return nil
}

// Fields without which a line is no event.
const (
	seenTime = 1 << iota
	seenTool
	seenOutcome
)

// A decoder reads an event's fields. The first error stops it: every method
// then returns a zero value.
type decoder struct {
	lexer
	seen       uint8
	isNote     bool
	durationUS time.Duration // overrides duration_ms; negative when absent
}

func (d *decoder) has(fields uint8) bool { return d.seen&fields == fields }

func (d *decoder) eventField(ev *CallEvent, key string) {
	switch key {
	case "ts":
		ev.Time = d.time()
		d.seen |= seenTime
	case "call_id":
		ev.CallID = d.string()
	case "tool_id":
		ev.ToolID = d.string()
		d.seen |= seenTool
	case "caller_id":
		ev.CallerID = d.optionalString()
	case "granted_capabilities":
		ev.GrantedCapabilities = d.strings()
	case "duration_ms":
		ev.Duration = d.duration(time.Millisecond)
	case "outcome":
		ev.Outcome = d.outcome()
		d.seen |= seenOutcome
	case "tier":
		ev.Tier = Tier(d.name(tierNames[:], "tier"))
	case "dry_run":
		ev.DryRun = d.bool()
	case "schema_version":
		ev.SchemaVersion = int(min(d.uint(), math.MaxInt32))
	case "secrets_resolved":
		ev.SecretsResolved = d.bool()
	case "cursor_page":
		ev.CursorPage = uint32(min(d.optionalUint(), math.MaxUint32))
	case "capability_provenance":
		ev.CapabilityProvenance = d.provenance()
	case "note":
		d.isNote = true
		d.skip()
	default:
		d.ourField(ev, key)
	}
}

// ourField reads the fields that schema 4 adds.
func (d *decoder) ourField(ev *CallEvent, key string) {
	switch key {
	case "seq":
		ev.Seq = d.uint()
	case "lost":
		ev.Lost = d.lost()
	case "duration_us":
		d.durationUS = d.duration(time.Microsecond)
	case "overhead_us":
		ev.Overhead = d.duration(time.Microsecond)
	case "decided_by":
		ev.DecidedBy = DecidedBy(d.known(deciderNames[:]))
	case "principal":
		ev.Principal = d.optionalString()
	case "session_id":
		ev.SessionID = d.optionalString()
	case "request_id":
		ev.RequestID = d.requestID()
	case "trace_id":
		ev.TraceID = d.optionalString()
	case "span_id":
		ev.SpanID = d.optionalString()
	case "parent_call_id":
		ev.ParentCallID = d.optionalString()
	case "server":
		ev.Server = d.optionalString()
	case "transport":
		ev.Transport = Transport(d.known(transportNames[:]))
	case "client":
		ev.Client = d.optionalString()
	default:
		d.evidenceField(ev, key)
	}
}

func (d *decoder) evidenceField(ev *CallEvent, key string) {
	switch key {
	case "args_bytes":
		ev.ArgsBytes = int64(min(d.uint(), math.MaxInt64))
	case "result_bytes":
		ev.ResultBytes = int64(min(d.uint(), math.MaxInt64))
	case "args_mac":
		ev.ArgsMAC = d.optionalString()
	case "result_mac":
		ev.ResultMAC = d.optionalString()
	case "args":
		ev.Args = d.content()
	case "result":
		ev.Result = d.content()
	case "truncated":
		ev.Truncated = d.truncated()
	case "flags":
		ev.Flags = d.strings()
	default:
		d.raw()
	}
}

func (d *decoder) outcome() (o Outcome) {
	var retryAfter uint64
	d.object(func(key string) {
		switch key {
		case "kind":
			o.Kind = OutcomeKind(d.name(kindNames[:], "outcome kind"))
		case "code":
			o.Code = d.string()
		case "retryable":
			o.Retryable = d.bool()
		case "message":
			o.Message = d.string()
		case "missing":
			o.Missing = d.strings()
		case "retry_after_ms":
			retryAfter = d.optionalUint()
		default:
			d.skip()
		}
	})
	if o.Kind == 0 {
		d.fail(errors.New("the outcome has no kind"))
	}
	o.RetryAfter = time.Duration(min(retryAfter, math.MaxInt64/1_000_000)) * time.Millisecond
	return o
}

func (d *decoder) lost() *Lost {
	if d.null() {
		return nil
	}
	l := new(Lost)
	d.object(func(key string) {
		switch key {
		case "count":
			l.Count = d.uint()
		case "first_ts":
			l.First = d.time()
		case "last_ts":
			l.Last = d.time()
		case "reason":
			l.Reason = LossReason(d.string())
		default:
			d.skip()
		}
	})
	return l
}

func (d *decoder) provenance() (list []Provenance) {
	d.array(func() {
		var p Provenance
		d.object(func(key string) {
			switch key {
			case "cap":
				p.Cap = d.string()
			case "source":
				p.Source = d.source()
			default:
				d.skip()
			}
		})
		list = append(list, p)
	})
	return list
}

func (d *decoder) source() (s ProvenanceSource) {
	d.object(func(key string) {
		switch key {
		case "kind":
			s.Kind = d.string()
		case "issuer_did":
			s.IssuerDID = d.string()
		case "chain_depth":
			s.ChainDepth = uint8(min(d.uint(), math.MaxUint8))
		default:
			d.skip()
		}
	})
	return s
}

func (d *decoder) truncated() (list []Truncation) {
	d.array(func() {
		var t Truncation
		d.object(func(key string) {
			switch key {
			case "field":
				t.Field = d.string()
			case "bytes":
				t.Bytes = int64(min(d.uint(), math.MaxInt64))
			case "sha256":
				t.SHA256 = d.string()
			default:
				d.skip()
			}
		})
		list = append(list, t)
	})
	return list
}

// time reads a time, with any offset and any number of digits.
func (d *decoder) time() time.Time {
	text := d.string()
	if d.err != nil {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		d.fail(err)
		return time.Time{}
	}
	return t.UTC()
}

func (d *decoder) duration(unit time.Duration) time.Duration {
	return time.Duration(min(d.uint(), uint64(math.MaxInt64/unit))) * unit
}

// name reads a string that must be one of names, and returns its index.
func (d *decoder) name(names []string, what string) int {
	text := d.string()
	i := slices.Index(names, text)
	if (i < 0 || text == "") && d.err == nil {
		d.fail(fmt.Errorf("unknown %s %q", what, text))
	}
	return max(i, 0)
}

// known reads a string and returns its index in names, or 0 where it is not
// among them.
func (d *decoder) known(names []string) int {
	return max(slices.Index(names, d.optionalString()), 0)
}

func (d *decoder) strings() (list []string) {
	if d.null() {
		return nil
	}
	d.array(func() { list = append(list, d.string()) })
	return list
}

func (d *decoder) optionalString() string {
	if d.null() {
		return ""
	}
	return d.string()
}

func (d *decoder) optionalUint() uint64 {
	if d.null() {
		return 0
	}
	return d.uint()
}

// requestID reads a JSON-RPC id as JSON text.
func (d *decoder) requestID() string {
	if d.peek() == '"' {
		return StringID(d.string())
	}
	return d.raw()
}

// content reads captured JSON as text.
func (d *decoder) content() string { return d.raw() }
