// Package witness is about second opinions on a log: a witness remembers the
// newest checkpoint of each log that it knows, cosigns only what is consistent
// with it, and so cannot be made to sign two histories. The package has the
// witness ([Server]), who asks one ([Client]), and who decides whether enough
// of them have signed ([Policy]).
//
//	policy, err := witness.ParsePolicy(text)
//	…
//	for _, w := range policy.Witnesses() {
//		c, err := witness.NewClient(w.URL, w.VKey, nil)
//		…
//		signature, err := c.Submit(ctx, checkpoint, oldSize, proof)
//	}
//
// The formats and the protocol are c2sp.org/tlog-witness, tlog-cosignature and
// tlog-policy.
package witness
