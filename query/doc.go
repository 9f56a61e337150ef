// Package query reads trails: a filter language, scans that filter raw bytes,
// and statistics.
//
// A filter is a list of words, all of which must hold:
//
//	tool:fs.*          tool_id; * and ? are wildcards, a comma means any of
//	caller:cli,ide     caller_id; also server:, principal: and session:
//	outcome:error      everything but success; or one of the six kinds
//	code:TIMEOUT       the code of execution_failed
//	since:2h           lines not older; until:2026-11-24 lines before its end
//	min:50ms           calls that took at least this long
//	id:01KSSVP         call_id begins so
//	-tool:read_*       a leading minus turns a word round
//	timeout            any other word: lines that contain it, in any case
//	"two words"        quotes keep a value together and make it literal
//
// [Parse] makes a [Filter], [Scan] yields the lines that it lets through in
// the order of time, and [Collect] counts them:
//
//	f, err := query.Parse(os.Args[1:], time.Now())
//	if err != nil { … }
//	for line, err := range query.Scan(ctx, home, f, nil) {
//		if err != nil {
//			log.Print(err) // a place that could not be read; the scan goes on
//			continue
//		}
//		os.Stdout.Write(append(line.Bytes, '\n'))
//	}
//
// # How lines are read
//
// Lines are taken apart where they stand, without decoding them: a walk over
// the top-level fields that ends as soon as every field that the filter needs
// has been met, which in the order of docs/formats/event.md is early. The walk
// takes any order of fields, white space, escapes, and lines of the schema
// versions 1 to 3, only not as fast. Where a key stands twice, the first one
// counts. What comes behind the last field needed is not looked at, but for
// the closing brace, so a scan takes a line that is damaged there for an event.
// Collect walks lines to their end, and counts such a line as bad.
//
// Segments are read in parallel, and their lines put in order again before
// they are yielded. Memory is bounded, whatever the size of the trail; only a
// Limit holds as many lines as it says.
package query
