// Package interop has the tests of what Tooltrail writes and serves with tools
// of others: torchwood's client, proof verifier and witness (litewitness), and
// Tessera's fsck. It is a module of its own, so that nothing of them is built
// into Tooltrail. README.md says what is pinned and why.
package interop
