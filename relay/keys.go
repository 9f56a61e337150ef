package relay

import (
	"bytes"
	"encoding/binary"
)

// A node is a kind of object or array that the scanner looks into.
type node uint8

const (
	_          node = iota
	nMessage        // a JSON-RPC message
	nParams         // its params
	nMeta           // params._meta
	nClient         // clientInfo, of _meta or of initialize
	nTask           // task, of a result
	nResult         // result
	nError          // error
	nInner          // a tool's result inside a task
	nInnerErr       // a tool's error inside a task
	nItem           // the first content item of a result
	nInnerItem      // the first content item of an inner result
	nTool           // a member of tools
	nBatch          // arrays from here on: a JSON-RPC batch, or the tools
	nContent        // content
	nInnerContent
	numNodes
)

func (n node) isArray() bool { return n >= nBatch }

// A field is a value that the scanner captures.
type field uint8

const (
	_ field = iota
	fMethod
	fID
	fOtherID // the id that a duplicate or variant key replaced
	fName
	fArgs
	fTrace
	fClient
	fClientVersion
	fRequestID
	fReason
	fState // params.requestState
	fInputs
	fTaskWanted // params.task
	fTaskID     // params.taskId
	fStatus     // params.status
	fCursor
	fResult
	fIsError
	fText
	fResultType
	fNextCursor
	fTools
	fTTL       // result.ttlMs
	fNewTaskID // result.task.taskId or result.taskId
	fNewStatus // result.task.status or result.status
	fNewState  // result.requestState
	fError
	fCode
	fErrText
	fInner // params.result or result.result: a task's outcome
	fInnerIsError
	fInnerText
	fInnerErr
	fInnerCode
	fInnerErrText
	fToolName
	fToolSchema
	numFields
)

// A target says what a key's value is: the field it fills and the node it is.
// The zero target is of no interest.
type target struct {
	field field
	node  node
}

type keyTarget struct {
	key string
	target
	bit    uint32 // its own among the keys of its object
	head   uint64 // the first eight bytes of key
	folded []byte // key, for comparison without regard to case
}

// keys lists the keys of interest of each node, the frequent ones first.
var keys = withBits([numNodes][]keyTarget{
	nMessage: {
		{key: "jsonrpc", target: target{}},
		{key: "id", target: target{field: fID}},
		{key: "method", target: target{field: fMethod}},
		{key: "params", target: target{node: nParams}},
		{key: "result", target: target{field: fResult, node: nResult}},
		{key: "error", target: target{field: fError, node: nError}},
	},
	nParams: {
		{key: "name", target: target{field: fName}},
		{key: "arguments", target: target{field: fArgs}},
		{key: "_meta", target: target{node: nMeta}},
		{key: "task", target: target{field: fTaskWanted}},
		{key: "taskId", target: target{field: fTaskID}},
		{key: "status", target: target{field: fStatus}},
		{key: "requestId", target: target{field: fRequestID}},
		{key: "reason", target: target{field: fReason}},
		{key: "requestState", target: target{field: fState}},
		{key: "inputResponses", target: target{field: fInputs}},
		{key: "cursor", target: target{field: fCursor}},
		{key: "clientInfo", target: target{node: nClient}},
		{key: "result", target: target{field: fInner, node: nInner}},
		{key: "error", target: target{field: fInnerErr, node: nInnerErr}},
	},
	nMeta: {
		{key: "traceparent", target: target{field: fTrace}},
		{key: "io.modelcontextprotocol/clientInfo", target: target{node: nClient}},
	},
	nClient: {
		{key: "name", target: target{field: fClient}},
		{key: "version", target: target{field: fClientVersion}},
	},
	nTask: {
		{key: "taskId", target: target{field: fNewTaskID}},
		{key: "status", target: target{field: fNewStatus}},
	},
	nResult: {
		{key: "content", target: target{node: nContent}},
		{key: "isError", target: target{field: fIsError}},
		{key: "resultType", target: target{field: fResultType}},
		{key: "task", target: target{node: nTask}},
		{key: "taskId", target: target{field: fNewTaskID}},
		{key: "status", target: target{field: fNewStatus}},
		{key: "tools", target: target{field: fTools}},
		{key: "nextCursor", target: target{field: fNextCursor}},
		{key: "ttlMs", target: target{field: fTTL}},
		{key: "requestState", target: target{field: fNewState}},
		{key: "result", target: target{field: fInner, node: nInner}},
		{key: "error", target: target{field: fInnerErr, node: nInnerErr}},
	},
	nError: {
		{key: "code", target: target{field: fCode}},
		{key: "message", target: target{field: fErrText}},
	},
	nInner: {
		{key: "content", target: target{node: nInnerContent}},
		{key: "isError", target: target{field: fInnerIsError}},
	},
	nInnerErr: {
		{key: "code", target: target{field: fInnerCode}},
		{key: "message", target: target{field: fInnerErrText}},
	},
	nItem:      {{key: "text", target: target{field: fText}}},
	nInnerItem: {{key: "text", target: target{field: fInnerText}}},
	nTool: {
		{key: "name", target: target{field: fToolName}},
		{key: "inputSchema", target: target{field: fToolSchema}},
	},
})

func withBits(all [numNodes][]keyTarget) *[numNodes][]keyTarget {
	for n := range all {
		for i := range all[n] {
			e := &all[n][i]
			e.bit = 1 << i
			e.folded = []byte(e.key)
			e.head = head(e.folded)
		}
	}
	return &all
}

// head returns the first eight bytes of a key as a number; a shorter key is
// filled with zeros.
func head(k []byte) uint64 {
	switch {
	case len(k) >= 8:
		return binary.LittleEndian.Uint64(k)
	case cap(k) >= 8: // read on behind the key, then clear what is not its own
		return binary.LittleEndian.Uint64(k[:8]) & (1<<(8*len(k)) - 1)
	}
	var x uint64
	for i, c := range k {
		x |= uint64(c) << (8 * i)
	}
	return x
}

// lookup finds a key among those of a node, or nil.
func lookup(n node, k []byte) *keyTarget {
	h := head(k)
	list := keys[n]
	for i := range list {
		if e := &list[i]; e.head == h && len(e.key) == len(k) && (len(k) <= 8 || e.key[8:] == string(k[8:])) {
			return e
		}
	}
	return nil
}

// lookupVariant finds a key without regard to case, or nil. Case folds as in
// Unicode, so that U+017F is an s, and takes more bytes.
func lookupVariant(n node, k []byte) *keyTarget {
	if len(k) == 0 {
		return nil
	}
	ascii := isASCII(k)
	for i := range keys[n] {
		e := &keys[n][i]
		if ascii && (len(k) != len(e.key) || (k[0]^e.key[0])&^0x20 != 0) {
			continue
		}
		if bytes.EqualFold(k, e.folded) {
			return e
		}
	}
	return nil
}

func isASCII(k []byte) bool {
	for _, c := range k {
		if c >= 0x80 {
			return false
		}
	}
	return true
}
