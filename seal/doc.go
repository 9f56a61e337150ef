// Package seal proves what a trail held. It hashes the lines of a trail into a
// Merkle tree (RFC 6962) while they are written, and signs the tree's root,
// with the number of lines, about ten times a second. Anybody who has the
// public key can later find out whether a line was changed, removed, added or
// moved, and which; and can be shown that one line is in the log without
// seeing the others.
//
// A [Sealer] seals the trail that it is given to:
//
//	key, err := seal.NewKey("example.com/calls")
//	…
//	t, err := trail.Open(dir, &trail.Options{Sealer: seal.New(&seal.Options{Keys: []*seal.Key{key}})})
//
// [Verify] reads a whole trail and reports what is wrong with it:
//
//	report, err := seal.Verify(ctx, dir, &seal.VerifyOptions{Keys: []string{key.VKey()}})
//
// [Prove] and [Proof.Verify] are about one line, [Redact] erases one, and
// [OpenTree] makes the tree a [tlog.HashReader] for everything that package
// tlog can do.
//
// Each checkpoint has two signatures: of the log key, and of the key of an
// epoch, which is erased after a minute and hands over to the next in a note
// in the trail. So who takes over a machine cannot sign for the time before.
// What that is worth, and what it is not, stands in docs/threat-model.md; the
// formats, which are C2SP's where there is one, in docs/formats/seal.md.
package seal
