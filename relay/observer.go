package relay

import (
	"hash"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tooltrail/tooltrail/audit"
)

// Options set up an [Observer]. The zero value records nothing and never
// times out.
type Options struct {
	// Sink takes the events; nil means audit.Discard. It is called from the
	// goroutines that pass bytes, so it must not block.
	Sink audit.Sink
	// Server is the backend's name, from configuration.
	Server string
	// Transport is how calls reach us.
	Transport audit.Transport
	// Principal is the authenticated subject; on stdio, the OS user.
	Principal string
	// Session identifies the connection; empty means a fresh ULID.
	Session string
	// Timeout is how long a call may go without a reply before it is recorded
	// as TIMEOUT; 0 means for ever. The call itself is not touched.
	Timeout time.Duration
	// MACKey is the HMAC-SHA256 key of args_mac and result_mac; nil means no
	// digests.
	MACKey []byte
	// Now tells the time; nil means time.Now, whose monotonic clock makes
	// durations exact.
	Now func() time.Time
	// MaxInFlight bounds the calls that are tracked; 0 means 65,536. Beyond
	// it the oldest is recorded as ABANDONED with [FlagTrackerFull].
	MaxInFlight int
	// Logger takes what the observer has to say, which is rare; nil means
	// nothing is said.
	Logger *slog.Logger
}

// DefaultMaxInFlight is the bound on tracked calls where Options sets none.
const DefaultMaxInFlight = 65536

// An Observer watches the messages of one connection and sends one event for
// each tool call to its sink. Its methods may be called at once from any
// number of goroutines; the bytes of one direction must come in order.
type Observer struct {
	sink      audit.Sink
	server    string
	transport audit.Transport
	principal string
	session   string
	timeout   time.Duration
	now       func() time.Time
	log       *slog.Logger
	digest    func() hash.Hash
	digests   sync.Pool // of hash.Hash

	fromClient, fromServer *Tap
	inFlight               atomic.Int64 // calls whose event is not out yet
	listing                atomic.Int64 // tools/list requests without a reply

	mu     sync.Mutex
	track  tracker   // guarded by mu
	tools  toolCache // guarded by mu
	peer   peer      // of initialize; guarded by mu
	ended  EndReason // 0 while the connection stands; guarded by mu
	expiry *time.Timer
}

// A peer is what a client says of itself.
type peer struct{ name, client string }

// New returns an Observer for one connection. A nil Options is valid.
func New(o *Options) *Observer {
	if o == nil {
		o = &Options{}
	}
	ob := &Observer{
		sink: o.Sink, server: o.Server, transport: o.Transport, principal: o.Principal,
		session: o.Session, timeout: o.Timeout, now: o.Now, log: o.Logger, digest: newDigest(o.MACKey),
	}
	if ob.sink == nil {
		ob.sink = audit.Discard
	}
	if ob.now == nil {
		ob.now = time.Now
	}
	if ob.log == nil {
		ob.log = slog.New(slog.DiscardHandler)
	}
	if ob.session == "" {
		ob.session = audit.NewCallID()
	}
	ob.track.init(o.MaxInFlight)
	ob.fromClient, ob.fromServer = ob.ClientTap(), ob.ServerTap()
	return ob
}

// FromClient observes one whole frame from the client, without its newline.
// The frame is not kept.
func (o *Observer) FromClient(frame []byte) { o.fromClient.observeFrame(frame) }

// FromServer observes one whole frame from the server, without its newline.
// The frame is not kept.
func (o *Observer) FromServer(frame []byte) { o.fromServer.observeFrame(frame) }

// InFlight returns how many calls have begun whose event is not out yet.
func (o *Observer) InFlight() int { return int(o.inFlight.Load()) }

// Session returns the session_id of the events.
func (o *Observer) Session() string { return o.session }

// An EndReason says why a connection ended.
type EndReason uint8

// Why a connection ends. The zero value counts as EndStopped.
const (
	_                    EndReason = iota
	EndClientGone                  // the client closed its side: CLIENT_GONE
	EndServerExited                // the server ended: SERVER_EXITED
	EndServerUnreachable           // the server could not be reached: SERVER_UNREACHABLE
	EndStopped                     // we were told to stop: ABANDONED
)

func (r EndReason) verdict() verdict {
	switch r {
	case EndClientGone:
		return verdict{outcome: audit.ExecutionFailed(audit.CodeClientGone, true), by: audit.ByClient}
	case EndServerExited:
		return verdict{outcome: audit.ExecutionFailed(audit.CodeServerExited, true), by: audit.ByTransport}
	case EndServerUnreachable:
		return verdict{outcome: audit.ExecutionFailed(audit.CodeServerUnreachable, true), by: audit.ByTransport}
	}
	return verdict{outcome: audit.ExecutionFailed(audit.CodeAbandoned, true), by: audit.ByTransport}
}

// Close ends the connection: every call in flight gets its event, and so does,
// at once, a call that is still to come. Only the first Close counts.
func (o *Observer) Close(reason EndReason) {
	if reason == 0 {
		reason = EndStopped
	}
	left := o.end(reason)
	at := o.now()
	for _, c := range left {
		o.recordUnanswered(c, reason.verdict(), at)
	}
}

func (o *Observer) end(reason EndReason) (left []*call) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended != 0 {
		return nil
	}
	o.ended = reason
	if o.expiry != nil {
		o.expiry.Stop()
	}
	return o.track.drain()
}

// recordUnanswered records a call that ends without its final reply: by what
// is known of its task, else by v.
func (o *Observer) recordUnanswered(c *call, v verdict, at time.Time) {
	switch {
	case c.settled != "":
		v, at = c.settledVerdict(), c.settledAt
	case c.stage == stageTask && c.cancelAsked:
		v = verdict{outcome: audit.ExecutionFailed(audit.CodeCancelled, true), by: audit.ByClient}
	case c.stage == stageWaiting:
		c.flag(FlagInputRequired)
	}
	o.record(c, v, at)
}
