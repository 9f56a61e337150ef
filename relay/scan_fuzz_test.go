package relay

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzScan checks that the scanner survives anything, finds the same in one
// piece and in many, and agrees with encoding/json on what that accepts.
func FuzzScan(f *testing.F) {
	for _, s := range []string{
		`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"m":"hi"}}}`,
		`[{"id":1,"met\u0068od":"a"},{"id":"1"}]`,
		`{"result":{"content":[{"type":"text","text":"a\"b"}],"isError":true,"task":{"taskId":"t"}},"id":3}`,
		`{"error":{"code":-32602,"message":"m"},"id":1e2}`,
		"{\"id\":1}\r", "\xef\xbb\xbf{}", `{"a":[[[]]],"params":[]}`, `{"id":"\\\"","x":"\ud800"}`, `{]}{`, `{"id":nul`,
	} {
		f.Add([]byte(s), uint8(3))
	}
	f.Fuzz(func(t *testing.T, frame []byte, n uint8) {
		whole, amb1 := scanPieces(frame, 0)
		parts, amb2 := scanPieces(frame, int(n)+1)
		if !sameFound(parts, whole, true) || amb1 != amb2 {
			t.Fatalf("whole %v %v, in pieces of %d %v %v", whole, amb1, int(n)+1, parts, amb2)
		}
		if amb1 {
			return
		}
		for _, want := range decodeMessages(frame) {
			if len(whole) == 0 {
				t.Fatalf("message not found")
			}
			compare(t, whole[0], want)
			whole = whole[1:]
		}
	})
}

type object = map[string]json.RawMessage

// decodeMessages reads a frame as encoding/json does.
func decodeMessages(frame []byte) []object {
	var one object
	if !bytes.HasPrefix(bytes.TrimLeft(frame, " \t\r\n"), []byte("[")) {
		if json.Unmarshal(frame, &one) != nil || one == nil {
			return nil
		}
		return []object{one}
	}
	var raw []json.RawMessage
	if json.Unmarshal(frame, &raw) != nil {
		return nil
	}
	var out []object
	for _, r := range raw {
		if o := asObject(r); o != nil {
			out = append(out, o)
		}
	}
	return out
}

func asObject(r json.RawMessage) (o object) {
	if len(r) > 0 && r[0] == '{' {
		json.Unmarshal(r, &o)
	}
	return o
}

func compare(t *testing.T, got found, want object) {
	t.Helper()
	check := func(f field, o object, key string) {
		t.Helper()
		if got[f] != string(o[key]) {
			t.Fatalf("%s is %q, want %q", key, got[f], o[key])
		}
	}
	check(fID, want, "id")
	check(fMethod, want, "method")
	check(fResult, want, "result")
	check(fError, want, "error")
	params, result, rpcError := asObject(want["params"]), asObject(want["result"]), asObject(want["error"])
	for f, key := range map[field]string{fName: "name", fArgs: "arguments", fState: "requestState", fRequestID: "requestId"} {
		check(f, params, key)
	}
	for f, key := range map[field]string{fIsError: "isError", fResultType: "resultType", fTools: "tools", fNextCursor: "nextCursor"} {
		check(f, result, key)
	}
	check(fCode, rpcError, "code")
	check(fErrText, rpcError, "message")
}
