package relay_test

import (
	"fmt"
	"io"
	"strings"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/relay"
)

func ExampleObserver() {
	o := relay.New(&relay.Options{
		Server:    "files",
		Transport: audit.TransportStdio,
		Sink: audit.Func(func(ev *audit.CallEvent) {
			fmt.Printf("%v %s (%s)\n", ev.Outcome.Kind, ev.ToolID, ev.DecidedBy)
		}),
	})
	o.FromClient([]byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file"}}`))
	o.FromClient([]byte(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"write_file"}}`))
	o.FromClient([]byte(`{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"raed_file"}}`))
	o.FromServer([]byte(`{"jsonrpc":"2.0","id":3,"error":{"code":-32602,"message":"unknown tool \"raed_file\""}}`))
	o.FromServer([]byte(`{"jsonrpc":"2.0","id":1,"result":{"content":[]}}`))
	o.Close(relay.EndServerExited)
	// Output:
	// tool_not_found raed_file (dispatcher)
	// success read_file (tool)
	// execution_failed write_file (transport)
}

func ExamplePump() {
	var seen int
	err := relay.Pump(io.Discard, strings.NewReader("any bytes\n"), func(piece []byte) { seen += len(piece) }, nil)
	fmt.Println(seen, err)
	// Output: 10 <nil>
}
