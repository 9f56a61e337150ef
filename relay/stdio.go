package relay

import (
	"io"
	"time"
)

// PumpClient passes the client's bytes on to the server and observes them
// first, so that a call is known before its reply can come. It returns when
// the client closes its side (nil), or at the first error.
//
// The stdio front is PumpClient and [Observer.PumpServer] at once. A client
// that has closed its side may still be owed replies, so the connection ends
// when the server's side does: then call [Observer.Close], with EndClientGone
// if the client's side had ended before, else with EndServerExited.
func (o *Observer) PumpClient(server io.Writer, client io.Reader) error {
	t := o.ClientTap()
	defer t.End()
	return Pump(server, client, t.Observe, &PumpOptions{ObserveFirst: true})
}

// PumpServer passes the server's bytes on to the client and observes them
// after, so that a reply is not delayed. It returns when the server closes its
// side (nil), or at the first error.
func (o *Observer) PumpServer(client io.Writer, server io.Reader) error {
	t := o.ServerTap()
	defer t.End()
	var at time.Time
	return Pump(client, server, func(piece []byte) { t.ObserveAt(piece, at) },
		&PumpOptions{Arrived: func() { at = o.now() }})
}
