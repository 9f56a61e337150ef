// Package crypto has the few names that torchwood's witnessctl is compiled
// with. They serve Sigsum logs only, which the tests here do not have; see the
// README of the interop module.
package crypto

import "crypto/sha256"

// PublicKeySize is the size of an Ed25519 public key, in bytes.
const PublicKeySize = 32

// A PublicKey is an Ed25519 public key.
type PublicKey [PublicKeySize]byte

// A Hash is a SHA-256 hash.
type Hash [sha256.Size]byte

// HashBytes returns the hash of b.
func HashBytes(b []byte) Hash { return sha256.Sum256(b) }
