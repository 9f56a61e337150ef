// Command tools serves three tools to ATD clients, and prints their calls.
//
//	go run ./examples/tools /tmp/mytools.sock
package main

import (
	"context"
	"log"
	"os"
	"os/signal"

	"github.com/tooltrail/tooltrail/atd"
	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/dispatch"
	"github.com/tooltrail/tooltrail/examples/tools/mytools"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	registry, err := mytools.Registry()
	must(err)
	sink := audit.Stdout(nil)
	d, err := dispatch.New(registry, &dispatch.Options{Sink: sink, Name: "mytools", Allow: []string{"forget"}})
	must(err)
	l, err := atd.Listen(os.Args[1])
	must(err)
	server := atd.NewServer(d, nil)
	go server.Serve(l)
	<-ctx.Done()
	must(server.Shutdown(context.Background()))
	must(sink.Close(context.Background()))
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
