package stdio

import "os"

// stopSignals tell us to end, and the server through us.
var stopSignals = []os.Signal{os.Interrupt}
