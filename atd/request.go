package atd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tooltrail/tooltrail/dispatch"
)

// A RequestError says why a request cannot be read. It quotes none of it.
type RequestError struct{ Reason string }

// Error returns the reason.
func (e *RequestError) Error() string { return "the request cannot be read: " + e.Reason }

func malformed(format string, args ...any) error {
	return &RequestError{fmt.Sprintf(format, args...)}
}

// fields are the members of a request, as JSON; nil where there is none.
type fields struct {
	kind, toolID, args, dryRun, cursor, clientID, capabilities, tokens jsontext.Value
}

// of returns the place of a member, nil for one that is not known.
func (f *fields) of(name []byte) *jsontext.Value {
	switch string(name) {
	case "type":
		return &f.kind
	case "tool_id":
		return &f.toolID
	case "args":
		return &f.args
	case "dry_run":
		return &f.dryRun
	case "cursor":
		return &f.cursor
	case "client_id":
		return &f.clientID
	case "requested_capabilities":
		return &f.capabilities
	case "ucan_tokens":
		return &f.tokens
	}
	return nil
}

// DecodeRequest reads a request. It shares memory with body. Members that are
// not known are passed over; a known one that stands twice, and text that is
// not UTF-8, are errors. Duplicate keys within args are not: the dispatcher
// refuses those, with an event. Errors are *RequestError.
func DecodeRequest(body []byte) (dispatch.Request, error) {
	var f fields
	if err := f.read(body); err != nil {
		return nil, err
	}
	kind, err := text("type", f.kind)
	if err != nil {
		return nil, err
	}
	switch kind {
	case "ping":
		return dispatch.Ping{}, nil
	case "tool_list":
		return dispatch.ToolList{}, nil
	case "tool_schema":
		id, err := text("tool_id", f.toolID)
		return dispatch.ToolSchema{ToolID: id}, err
	case "hello":
		return f.hello()
	case "run_tool":
		return f.run()
	case "run_tool_continue":
		return f.next()
	}
	return nil, malformed("its type is unknown")
}

// read splits an object into its members.
func (f *fields) read(body []byte) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(body), jsontext.AllowDuplicateNames(true))
	if d.PeekKind() != '{' {
		return malformed("it is no object")
	}
	_, err := d.ReadToken()
	for err == nil && d.PeekKind() == '"' {
		var name, value jsontext.Value
		if name, err = d.ReadValue(); err != nil {
			break
		}
		name, quotedErr := jsontext.AppendUnquote(nil, name)
		if quotedErr != nil {
			return malformed("it is not JSON")
		}
		if value, err = d.ReadValue(); err != nil {
			break
		}
		place := f.of(name)
		if place == nil {
			continue
		}
		if *place != nil {
			return malformed("%s stands twice", name)
		}
		end := int(d.InputOffset())
		*place = body[end-len(value) : end : end]
	}
	if err == nil {
		_, err = d.ReadToken()
	}
	if err == nil && d.PeekKind() != jsontext.KindInvalid {
		return malformed("something follows the object")
	}
	if err == nil && len(bytes.TrimLeft(body[d.InputOffset():], " \t\r\n")) > 0 {
		return malformed("something follows the object")
	}
	if err != nil {
		return notJSON(err)
	}
	return nil
}

func notJSON(err error) error {
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		return malformed("it is not JSON in UTF-8, at byte %d", syntax.ByteOffset)
	}
	return malformed("it is not JSON")
}

func (f *fields) run() (dispatch.Request, error) {
	id, err := text("tool_id", f.toolID)
	switch {
	case err != nil:
		return nil, err
	case f.args == nil:
		return nil, malformed("args are missing")
	case f.dryRun == nil:
		return nil, malformed("dry_run is missing")
	case string(f.dryRun) != "true" && string(f.dryRun) != "false":
		return nil, malformed("dry_run is neither true nor false")
	}
	return &dispatch.RunTool{ToolID: id, Args: json.RawMessage(f.args), DryRun: string(f.dryRun) == "true"}, nil
}

func (f *fields) next() (dispatch.Request, error) {
	id, err := text("tool_id", f.toolID)
	if err != nil {
		return nil, err
	}
	cursor, err := text("cursor", f.cursor)
	if err != nil {
		return nil, err
	}
	return &dispatch.RunToolContinue{ToolID: id, Cursor: cursor, Args: json.RawMessage(f.args)}, nil
}

func (f *fields) hello() (dispatch.Request, error) {
	var h dispatch.Hello
	var err error
	if f.clientID != nil && f.clientID.Kind() != 'n' {
		if h.ClientID, err = text("client_id", f.clientID); err != nil {
			return nil, err
		}
	}
	if h.RequestedCapabilities, err = texts("requested_capabilities", f.capabilities); err != nil {
		return nil, err
	}
	if h.UCANTokens, err = texts("ucan_tokens", f.tokens); err != nil {
		return nil, err
	}
	return h, nil
}

// text reads a member that is a string.
func text(name string, v jsontext.Value) (string, error) {
	switch {
	case v == nil:
		return "", malformed("%s is missing", name)
	case v.Kind() != '"':
		return "", malformed("%s is no string", name)
	}
	if inner := v[1 : len(v)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return string(inner), nil
	}
	b, err := jsontext.AppendUnquote(nil, v)
	if err != nil {
		return "", malformed("%s is no string", name)
	}
	return string(b), nil
}

// texts reads a member that is a list of strings, or absent.
func texts(name string, v jsontext.Value) ([]string, error) {
	if v == nil {
		return nil, nil
	}
	if v.Kind() != '[' {
		return nil, malformed("%s is no list", name)
	}
	var out []*string
	if json.Unmarshal(v, &out) != nil {
		return nil, malformed("%s is no list of strings", name)
	}
	list := make([]string, len(out))
	for i, s := range out {
		if s == nil {
			return nil, malformed("%s is no list of strings", name)
		}
		list[i] = *s
	}
	return list, nil
}

// AppendRequest appends the JSON of a request.
func AppendRequest(dst []byte, r dispatch.Request) []byte {
	switch r := r.(type) {
	case dispatch.Ping:
		return append(dst, `{"type":"ping"}`...)
	case dispatch.ToolList:
		return append(dst, `{"type":"tool_list"}`...)
	case dispatch.ToolSchema:
		dst = append(dst, `{"type":"tool_schema","tool_id":`...)
		dst = appendText(dst, r.ToolID)
	case dispatch.Hello:
		dst = append(dst, `{"type":"hello"`...)
		if r.ClientID != "" {
			dst = appendText(append(dst, `,"client_id":`...), r.ClientID)
		}
		dst = appendTexts(append(dst, `,"requested_capabilities":`...), r.RequestedCapabilities)
		if len(r.UCANTokens) > 0 {
			dst = appendTexts(append(dst, `,"ucan_tokens":`...), r.UCANTokens)
		}
	case *dispatch.RunTool:
		dst = appendText(append(dst, `{"type":"run_tool","tool_id":`...), r.ToolID)
		dst = appendValue(append(dst, `,"args":`...), r.Args)
		dst = appendBool(append(dst, `,"dry_run":`...), r.DryRun)
	case *dispatch.RunToolContinue:
		dst = appendText(append(dst, `{"type":"run_tool_continue","tool_id":`...), r.ToolID)
		dst = appendText(append(dst, `,"cursor":`...), r.Cursor)
		if r.Args != nil {
			dst = appendValue(append(dst, `,"args":`...), r.Args)
		}
	}
	return append(dst, '}')
}
