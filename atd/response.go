package atd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tooltrail/tooltrail/dispatch"
)

// AppendResponse appends the JSON of a response. The error says that a
// definition cannot be written.
func AppendResponse(dst []byte, r dispatch.Response) ([]byte, error) {
	switch r := r.(type) {
	case dispatch.Pong:
		return append(dst, `{"type":"pong"}`...), nil
	case *dispatch.ToolResult:
		return appendToolResult(dst, r), nil
	case *dispatch.Error:
		return appendError(dst, r), nil
	case *dispatch.HelloAck:
		dst = appendTexts(append(dst, `{"type":"hello_ack","granted_capabilities":`...), r.GrantedCapabilities)
		dst = appendText(append(dst, `,"server_version":`...), r.ServerVersion)
		dst = append(dst, `,"supported_tiers":[`...)
		for i, t := range r.SupportedTiers {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendText(dst, string(t))
		}
		return append(dst, "]}"...), nil
	case dispatch.Tools:
		return appendJSON(dst, `{"type":"tool_list","tools":`, r.Tools)
	case dispatch.Schema:
		return appendJSON(dst, `{"type":"tool_schema","schema":`, r.Schema)
	}
	return dst, fmt.Errorf("atd: there is no response %T", r)
}

func appendToolResult(dst []byte, r *dispatch.ToolResult) []byte {
	dst = appendText(append(dst, `{"type":"tool_result","tool_id":`...), r.ToolID)
	dst = appendValue(append(dst, `,"result":`...), r.Result)
	dst = appendBool(append(dst, `,"success":`...), r.Success)
	dst = appendBool(append(dst, `,"dry_run":`...), r.DryRun)
	if r.NextCursor != "" {
		dst = appendText(append(dst, `,"next_cursor":`...), r.NextCursor)
	}
	return append(dst, '}')
}

func appendError(dst []byte, e *dispatch.Error) []byte {
	dst = appendText(append(dst, `{"type":"error","message":`...), e.Message)
	if e.Code != 0 {
		dst = strconv.AppendUint(append(dst, `,"code":`...), uint64(e.Code), 10)
	}
	dst = appendBool(append(dst, `,"retryable":`...), e.Retryable)
	if e.Details != nil {
		dst = append(append(dst, `,"details":`...), e.Details...)
	}
	return append(dst, '}')
}

func appendJSON(dst []byte, head string, v any) ([]byte, error) {
	b := bytes.NewBuffer(append(dst, head...))
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return dst, err
	}
	b.Truncate(b.Len() - 1) // the newline
	return append(b.Bytes(), '}'), nil
}

// appendText appends a JSON string. What is not UTF-8 becomes U+FFFD.
func appendText(dst []byte, s string) []byte {
	dst, _ = jsontext.AppendQuote(dst, s) // the error tells of UTF-8, which it mends
	return dst
}

func appendTexts(dst []byte, list []string) []byte {
	dst = append(dst, '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendText(dst, s)
	}
	return append(dst, ']')
}

func appendValue(dst []byte, v json.RawMessage) []byte {
	if v == nil {
		return append(dst, "null"...)
	}
	return append(dst, v...)
}

func appendBool(dst []byte, b bool) []byte { return strconv.AppendBool(dst, b) }

// DecodeResponse reads a response of any ATD server. What one may leave out of
// a tool's summary gets ATD's defaults.
func DecodeResponse(body []byte) (dispatch.Response, error) {
	var r struct {
		Type string `json:"type"`

		Granted []string        `json:"granted_capabilities"`
		Version string          `json:"server_version"`
		Tiers   []dispatch.Tier `json:"supported_tiers"`

		Tools  []dispatch.Summary   `json:"tools"`
		Schema *dispatch.Definition `json:"schema"`

		ToolID     string          `json:"tool_id"`
		Result     json.RawMessage `json:"result"`
		Success    bool            `json:"success"`
		DryRun     bool            `json:"dry_run"`
		NextCursor string          `json:"next_cursor"`

		Message   string          `json:"message"`
		Code      dispatch.Code   `json:"code"`
		Retryable bool            `json:"retryable"`
		Details   json.RawMessage `json:"details"`
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, fmt.Errorf("atd: read response: %w", err)
	}
	switch r.Type {
	case "pong":
		return dispatch.Pong{}, nil
	case "hello_ack":
		return &dispatch.HelloAck{GrantedCapabilities: r.Granted, ServerVersion: r.Version, SupportedTiers: r.Tiers}, nil
	case "tool_list":
		for i := range r.Tools {
			complete(&r.Tools[i])
		}
		return dispatch.Tools{Tools: r.Tools}, nil
	case "tool_schema":
		if r.Schema == nil {
			return nil, errors.New("atd: the response has no schema")
		}
		return dispatch.Schema{Schema: r.Schema}, nil
	case "tool_result":
		return &dispatch.ToolResult{ToolID: r.ToolID, Result: r.Result, Success: r.Success, DryRun: r.DryRun, NextCursor: r.NextCursor}, nil
	case "error":
		return &dispatch.Error{Message: r.Message, Code: r.Code, Retryable: r.Retryable, Details: r.Details}, nil
	}
	return nil, fmt.Errorf("atd: a response of unknown type %.40q", r.Type)
}

func complete(s *dispatch.Summary) {
	if s.Tags == nil {
		s.Tags = []string{}
	}
	if s.Visibility == "" {
		s.Visibility = dispatch.VisibilityRead
	}
	if s.Tier == "" {
		s.Tier = dispatch.TierWarm
	}
}
