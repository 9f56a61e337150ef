// Package record makes transcripts of real traffic for package relay: it runs
// between a real client and a real server, passes every frame on untouched,
// and keeps them in the order in which a relay in that place would see them.
//
//	go test ./internal/rig/record -record
//	go test ./relay -run TestTranscripts -update
//
// The first line writes the wire part of relay/testdata/recorded-*.txtar, the
// second the events that the relay makes of it, to be read critically. Without
// -record, the test plays every session again and compares what passes with
// what is on record, so that a new version of a server or client that speaks
// differently is noticed.
package record
