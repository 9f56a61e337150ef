package relay

import (
	"time"

	"github.com/tooltrail/tooltrail/audit"
)

// armExpiry starts the timer, unless it runs or nothing can expire. o.mu is
// held.
func (o *Observer) armExpiry() {
	if o.timeout > 0 && o.expiry == nil {
		o.expiry = time.AfterFunc(o.timeout, o.expire)
	}
}

// expire records the calls that went without a reply for too long, and sets
// the timer for the next. A call that waits for the client's input is owed
// nothing and does not expire.
func (o *Observer) expire() {
	at := o.now()
	for _, c := range o.takeExpired(at) {
		o.recordUnanswered(c, verdict{outcome: audit.ExecutionFailed(audit.CodeTimeout, true), by: audit.ByTransport}, at)
	}
}

func (o *Observer) takeExpired(at time.Time) []*call {
	o.mu.Lock()
	defer o.mu.Unlock()
	expired, wait := o.track.expired(at, o.timeout)
	if o.ended != 0 || o.track.count == 0 {
		o.expiry = nil
	} else {
		o.expiry.Reset(wait)
	}
	return expired
}

// expired takes out the calls that were last heard of limit ago, and says how
// long the next one has.
func (t *tracker) expired(at time.Time, limit time.Duration) (list []*call, wait time.Duration) {
	for c := t.oldest; c != nil; {
		next := c.newer
		left := limit - at.Sub(c.active)
		if left > 0 {
			return list, left
		}
		if c.stage != stageWaiting {
			list = append(list, c)
			t.remove(c)
		}
		c = next
	}
	return list, limit
}
