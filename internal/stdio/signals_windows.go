package stdio

import "os"

// catchBrokenPipe has nothing to do: a write to a client that is gone is an
// error and no signal.
func catchBrokenPipe() {}

// stopSignals tell us to end, and the server through us.
var stopSignals = []os.Signal{os.Interrupt}
