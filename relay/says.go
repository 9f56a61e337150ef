package relay

import "strings"

// maxPattern is how much of an error's text is compared, in bytes.
const maxPattern = 2 << 10

// plain prepares an error's text for comparison: without the prefixes that
// SDKs put in front, in lower case, without quotes.
func plain(text string) string {
	text = text[:min(len(text), maxPattern)]
	for _, prefix := range []string{"McpError: ", "MCP error -32602: ", "Error: ", "error: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return unquoted.Replace(strings.ToLower(text))
}

var unquoted = strings.NewReplacer(`'`, ``, `"`, ``, "`", ``)

// saysNotFound reports whether an error's text says that a tool does not
// exist, as these put it: Go SDK `unknown tool "x"`, TypeScript SDK 1.x and
// 2.x `Tool x not found`, mcp-go `tool 'x' not found: …`, Python SDK
// `Unknown tool: x`, and others in nearly these words.
func saysNotFound(text, tool string) bool {
	if tool == "" || len(tool) > maxPattern/2 {
		return false
	}
	text, tool = plain(text), unquoted.Replace(strings.ToLower(tool))
	for _, form := range [][2]string{
		{"unknown tool ", ""}, {"unknown tool: ", ""}, {"tool ", " not found"}, {"tool not found: ", ""},
		{"no such tool: ", ""}, {"no such tool ", ""}, {"tool ", " does not exist"}, {"tool ", " is not available"},
	} {
		if rest, ok := strings.CutPrefix(text, form[0]); ok {
			if rest, ok = strings.CutPrefix(rest, tool); ok && strings.HasPrefix(rest, form[1]) && endsWord(rest[len(form[1]):]) {
				return true
			}
		}
	}
	return text == "tool not found" || text == "unknown tool"
}

// endsWord says whether what precedes rest ends there.
func endsWord(rest string) bool { return rest == "" || strings.ContainsRune(" .:,;\n", rune(rest[0])) }

// saysNoSuchTool reports whether a tool's own error text is in truth the
// TypeScript SDK 1.x speaking, which sends its -32602 as a result.
func saysNoSuchTool(text, tool string) bool {
	return strings.HasPrefix(text, "MCP error -32602: ") && saysNotFound(text, tool)
}

// saysInvalid reports whether an error's text is a framework's word for
// arguments that do not fit the tool's schema: Go SDK, TypeScript SDK 1.x and
// 2.x, mcp-go, Python SDK.
func saysInvalid(text string) bool {
	text = plain(text)
	for _, start := range []string{
		"validating arguments:", "input validation error", "invalid arguments for tool",
		"input schema validation failed", "invalid params: ", "unmarshaling arguments",
	} {
		if strings.HasPrefix(text, start) {
			return true
		}
	}
	return strings.Contains(text, "validation error for ") && strings.Contains(text, "arguments") ||
		strings.Contains(text, "validation errors for ") && strings.Contains(text, "arguments")
}

// saysBadParams reports whether an error's text is a list of issues as zod
// writes it, which the TypeScript SDK sends with -32603 when the params of a
// request are malformed.
func saysBadParams(text string) bool {
	text = strings.TrimSpace(text)
	return strings.HasPrefix(text, "[") && strings.Contains(text, `"code"`) && strings.Contains(text, `"path"`)
}

// saysBadResult reports whether an error's text finds fault with what the tool
// returned, for which the TypeScript SDK 1.x uses -32602 as well.
func saysBadResult(text string) bool {
	text = plain(text)
	return strings.HasPrefix(text, "invalid task creation result") || strings.HasPrefix(text, "invalid tools/call result") ||
		strings.HasPrefix(text, "output validation error")
}

// saysTaskNeeded reports whether the TypeScript SDK refuses a call because the
// tool runs as a task only; it uses -32600 for that.
func saysTaskNeeded(text string) bool { return strings.Contains(text, "task-based execution") }
