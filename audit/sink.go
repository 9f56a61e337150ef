package audit

// A Sink observes finished calls.
//
// OnCall is called once for each call, on the caller's goroutine, from any
// number of goroutines at once. It must not block, must not panic and must not
// keep or change ev, which the caller may reuse as soon as OnCall returns; a
// copy of *ev may be kept. A sink whose work can wait for anything (a disk, a
// network, a lock held over I/O) belongs behind a [Queue].
//
// An event that is passed through this interface lives on the heap, as far as
// the compiler knows. Where that matters, reuse one, or name the *[Queue].
type Sink interface {
	OnCall(ev *CallEvent)
}

// Func turns a function into a [Sink].
type Func func(ev *CallEvent)

// OnCall calls f.
func (f Func) OnCall(ev *CallEvent) { f(ev) }

// Discard is a [Sink] that does nothing.
var Discard Sink = Func(func(*CallEvent) {})
