package dispatch

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// encode writes a tool's value as JSON.
func encode(value any, most int) (json.RawMessage, error) {
	text, ready := value.(json.RawMessage)
	if !ready {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(value); err != nil {
			return nil, Internal("the result cannot be written as JSON: %v", err)
		}
		text = bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	}
	if len(text) > most {
		return nil, tooLarge(len(text), most)
	}
	if !ready {
		return text, nil
	}
	if text == nil {
		return null, nil
	}
	if !json.Valid(text) {
		return nil, Internal("the result is not JSON")
	}
	if !utf8.Valid(text) {
		text = bytes.ToValidUTF8(text, []byte("\uFFFD"))
	}
	return text, nil
}

// details writes a value of ours as JSON.
func details(value any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(value) // strings, lists of them, and numbers
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// appendDryRun writes the answer of a dry run.
func appendDryRun(toolID string, args json.RawMessage) json.RawMessage {
	b := make([]byte, 0, len(toolID)+len(args)+64)
	b = append(b, `{"dry_run":true,"tool_id":`...)
	b = append(b, details(toolID)...)
	b = append(b, `,"args_preview":`...)
	b = append(b, args...)
	return append(b, '}')
}
