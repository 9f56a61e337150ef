// Package atd speaks ATD (Agent Tool Dispatch) over a Unix socket: the wire in
// front of package dispatch, and a client for it.
//
//	l, err := atd.Listen("/run/user/1000/tools.sock")
//	server := atd.NewServer(dispatcher, nil)
//	go server.Serve(l)
//	defer server.Shutdown(ctx)
//
// A frame is four bytes, the length of what follows as a big-endian number, and
// one object of JSON, at most [MaxFrame] bytes. A client sends a request and
// gets an answer, in turn. docs/formats/atd.md is the specification.
package atd
