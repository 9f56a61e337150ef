package atd

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/tooltrail/tooltrail/dispatch"
)

func TestRequestsRoundTrip(t *testing.T) {
	for _, want := range []dispatch.Request{
		dispatch.Ping{}, dispatch.ToolList{}, dispatch.ToolSchema{ToolID: "a:\"b\"\n"},
		dispatch.Hello{RequestedCapabilities: []string{}},
		dispatch.Hello{ClientID: "é", RequestedCapabilities: []string{"read", ""}, UCANTokens: []string{"x.y.z"}},
		&dispatch.RunTool{ToolID: "t", Args: json.RawMessage(` {"a":1,"a":2}`[1:]), DryRun: true},
		&dispatch.RunToolContinue{ToolID: "t", Cursor: "c"},
		&dispatch.RunToolContinue{ToolID: "t", Cursor: "c", Args: json.RawMessage(`null`)},
	} {
		body := AppendRequest(nil, want)
		if got, err := DecodeRequest(body); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %#v, %v", body, got, err)
		}
	}
}

func TestResponsesRoundTrip(t *testing.T) {
	for golden, want := range map[string]dispatch.Response{
		`{"type":"pong"}`: dispatch.Pong{},
		`{"type":"hello_ack","granted_capabilities":["a"],"server_version":"v","supported_tiers":["hot","warm","cold"]}`: &dispatch.HelloAck{GrantedCapabilities: []string{"a"}, ServerVersion: "v", SupportedTiers: dispatch.Tiers},
		`{"type":"tool_result","tool_id":"t","result":{"a":"<&>"},"success":true,"dry_run":false}`:                       &dispatch.ToolResult{ToolID: "t", Result: json.RawMessage(`{"a":"<&>"}`), Success: true},
		`{"type":"tool_result","tool_id":"<t>","result":1,"success":false,"dry_run":true,"next_cursor":"c"}`:             &dispatch.ToolResult{ToolID: "<t>", Result: json.RawMessage(`1`), DryRun: true, NextCursor: "c"},
		`{"type":"error","message":"m","retryable":false}`:                                                               &dispatch.Error{Message: "m"},
		`{"type":"error","message":"m","code":1001,"retryable":true,"details":{"a":[]}}`:                                 &dispatch.Error{Message: "m", Code: 1001, Retryable: true, Details: json.RawMessage(`{"a":[]}`)},
	} {
		body, err := AppendResponse(nil, want)
		if err != nil || string(body) != golden {
			t.Errorf("got  %s, %v\nwant %s", body, err, golden)
		}
		if got, err := DecodeResponse(body); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: read as %#v, %v", body, got, err)
		}
	}
}

func TestFrameComesInPieces(t *testing.T) {
	for _, size := range []int{0, 1, firstRead, firstRead + 1, 100_000} {
		body := bytes.Repeat([]byte("x"), size)
		frame, err := AppendFrame(nil, body)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ReadFrame(iotest.OneByteReader(bytes.NewReader(frame)), nil); err != nil || !bytes.Equal(got, body) {
			t.Errorf("%d bytes: read %d, %v", size, len(got), err)
		}
		for _, cut := range []int{1, 3, 4, len(frame) - 1} {
			if cut >= len(frame) {
				continue
			}
			if _, err := ReadFrame(bytes.NewReader(frame[:cut]), nil); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%d bytes cut at %d: %v", size, cut, err)
			}
		}
	}
	if _, err := ReadFrame(strings.NewReader(""), nil); err != io.EOF {
		t.Errorf("at a boundary: %v", err)
	}
	var tooLong *FrameError
	if _, err := ReadFrame(strings.NewReader("\x00\xa0\x00\x01"), nil); !errors.As(err, &tooLong) || tooLong.Length != MaxFrame+1 {
		t.Errorf("one byte too long: %v", err)
	}
	if _, err := AppendFrame(nil, make([]byte, MaxFrame+1)); err == nil {
		t.Error("a frame that is too long is written")
	}
}

func FuzzReadFrame(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x0f{\"type\":\"ping\"}"))
	f.Add([]byte("\x00\xa0\x00\x01"))
	f.Add([]byte("\x00\x9f\xff\xffx"))
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := ReadFrame(bytes.NewReader(in), nil)
		if err != nil {
			return
		}
		if n := binary.BigEndian.Uint32(in); int(n) != len(got) || !bytes.Equal(got, in[4:4+n]) {
			t.Fatalf("read %q of %q", got, in)
		}
	})
}

// FuzzDecodeRequest: what is read is valid, and reads the same once written.
func FuzzDecodeRequest(f *testing.F) {
	for _, s := range []string{
		`{"type":"ping"}`, `{"client_id":null,"type":"hello"}`, `{"type":"hello","requested_capabilities":["\ud800"]}`,
		`{"type":"run_tool","tool_id":"t","args":{"a":1,"a":2},"dry_run":false}`, "{\"type\":\"ping\",\"x\":\"\xff\"}",
		`{"type":"run_tool_continue","tool_id":"t","cursor":"c","args":null}`, `{"type":"ping"}x`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		before := bytes.Clone(in)
		got, err := DecodeRequest(in)
		if !bytes.Equal(in, before) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			var refused *RequestError
			if !errors.As(err, &refused) {
				t.Fatalf("%T", err)
			}
			return
		}
		if !json.Valid(in) {
			t.Fatalf("%q is not JSON", in)
		}
		once := AppendRequest(nil, got)
		again, err := DecodeRequest(once)
		if err != nil {
			t.Fatalf("%s: %v", once, err)
		}
		if twice := AppendRequest(nil, again); !bytes.Equal(once, twice) {
			t.Fatalf("%s\n%s", once, twice)
		}
	})
}
