// Command tooltrail records what agents do with their tools, and shows it.
//
//	tooltrail run -- npx -y @modelcontextprotocol/server-filesystem .
//	tooltrail tail -f
//
// Data goes to standard output, talk to standard error. It exits with 0 when
// all is well, 1 when something failed, and 2 when it was called wrongly;
// `tooltrail run` exits as the command that it ran.
package main

import (
	"context"
	"os"

	"github.com/tooltrail/tooltrail/internal/proc"
)

func main() {
	proc.Main() // may be the guardian of another tooltrail
	run(context.Background(), newApp(), os.Args[1:]).Exit()
}
