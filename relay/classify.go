package relay

import "github.com/tooltrail/tooltrail/audit"

// retryableCodes are the JSON-RPC errors after which the same call may
// succeed: the server's connection to something closed, or timed out
// (-32000 and -32001 of the TypeScript SDK). Others say that it will not, or
// say nothing.
var retryableCodes = map[string]bool{"-32000": true, "-32001": true}

// JSON-RPC error codes that tell a call's arguments from its execution.
const (
	codeInvalidRequest = "-32600"
	codeInvalidParams  = "-32602"
	codeInternalError  = "-32603"
)

// known is what the tools cache knows of a tool.
type known struct {
	presence presence
	schema   *schema // nil where there is none
}

type presence uint8

const (
	presenceUnknown presence = iota // no complete and fresh list
	present
	absent
)

// classify says how a call ended that got a final reply. The rules come from
// what servers were seen to send; see the package comment.
func classify(c *call, r *reply, k known) verdict {
	v := verdict{resultBytes: r.bytes, resultMAC: r.mac}
	switch {
	case r.failed:
		v.outcome, v.by = classifyError(c, r, k)
	case r.toolError:
		v.outcome, v.by = classifyToolError(c, r, k)
	default:
		v.outcome, v.by = audit.Success(), audit.ByTool
	}
	if r.resultType != "" {
		v.flag = FlagUnknownResultType
	}
	return v
}

// classifyError handles a JSON-RPC error. Only -32602 may mean that the tool
// does not exist; -32600 and -32603 may mean that the arguments are wrong.
func classifyError(c *call, r *reply, k known) (audit.Outcome, audit.DecidedBy) {
	switch r.code {
	case codeInvalidParams:
		if saysBadResult(r.text) {
			break
		}
		if saysNotFound(r.text, c.tool) || k.presence == absent && !saysInvalid(r.text) {
			return audit.ToolNotFound(), audit.ByDispatcher
		}
		return audit.InvalidArgs(r.text), audit.ByDispatcher
	case codeInvalidRequest, codeInternalError:
		if saysTaskNeeded(r.text) {
			break
		}
		if saysInvalid(r.text) || saysBadParams(r.text) || k.schema.refuses(c.args) {
			return audit.InvalidArgs(r.text), audit.ByDispatcher
		}
	}
	return rpcFailed(r.code), whoFailed(r.code)
}

// whoFailed says who sends an error code: codes that JSON-RPC reserves come
// from the server's framework, except that an error in a tool becomes -32603.
func whoFailed(code string) audit.DecidedBy {
	if len(code) == len("-32000") && code[:3] == "-32" && code != codeInternalError {
		return audit.ByDispatcher
	}
	return audit.ByTool
}

// classifyToolError handles a result with isError, which servers send for
// unknown tools and wrong arguments as well.
func classifyToolError(c *call, r *reply, k known) (audit.Outcome, audit.DecidedBy) {
	switch {
	case k.presence == absent, k.presence == presenceUnknown && saysNotFound(r.text, c.tool), saysNoSuchTool(r.text, c.tool):
		return audit.ToolNotFound(), audit.ByDispatcher
	case saysInvalid(r.text):
		return audit.InvalidArgs(r.text), audit.ByDispatcher
	case k.schema.refuses(c.args):
		return audit.InvalidArgs(r.text), audit.ByTool
	}
	return audit.ExecutionFailed(audit.CodeToolError, false), audit.ByTool
}
