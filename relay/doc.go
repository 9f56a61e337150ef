// Package relay puts an audit in front of an MCP server: frames pass
// untouched, byte for byte, both ways, and the relay looks at them as they
// pass.
package relay
