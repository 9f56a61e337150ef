package atd

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tooltrail/tooltrail/dispatch"
)

// Limits of what a Hello may present, so that it cannot buy much work.
const (
	MaxTokens     = 16       // in one Hello
	MaxTokenBytes = 16 << 10 // of one token, with the parents inside it
	MaxLinks      = 5        // from the root to the leaf
)

// Roots verify capability tokens (UCAN-lite) whose chains begin with a trusted
// issuer. Without a root anybody could grant themselves anything, so there is
// no way to have none. They never change and are safe for concurrent use.
type Roots struct {
	trusted map[string]struct{} // by DID
	revoked map[string]struct{} // by lower-case hex SHA-256 of a token's text
	now     func() time.Time
}

// NewRoots returns a verifier that trusts issuers, each a did:key of an Ed25519
// key. At least one is needed.
func NewRoots(dids ...string) (*Roots, error) {
	if len(dids) == 0 {
		return nil, fmt.Errorf("atd: no roots are given")
	}
	r := &Roots{trusted: map[string]struct{}{}, now: time.Now}
	for _, did := range dids {
		if _, err := didKey(did); err != nil {
			return nil, fmt.Errorf("atd: root %.80q: %w", did, err)
		}
		r.trusted[did] = struct{}{}
	}
	return r, nil
}

// Revoke returns roots that refuse tokens too, and every chain with one of
// them. A token is named by the SHA-256 of its text in lower-case hex.
func (r *Roots) Revoke(sums ...string) (*Roots, error) {
	c := *r
	c.revoked = map[string]struct{}{}
	for sum := range r.revoked {
		c.revoked[sum] = struct{}{}
	}
	for _, sum := range sums {
		if b, err := hex.DecodeString(sum); err != nil || len(b) != sha256.Size || sum != strings.ToLower(sum) {
			return nil, fmt.Errorf("atd: a revoked token is named by 64 lower-case hex digits")
		}
		c.revoked[sum] = struct{}{}
	}
	return &c, nil
}

var _ dispatch.TokenVerifier = (*Roots)(nil)

// VerifyTokens returns the capabilities of every token, or why one of them does
// not hold, with code 1010 to 1013. The message quotes nothing of a token.
func (r *Roots) VerifyTokens(clientID string, tokens []string) ([]dispatch.TokenGrant, *dispatch.Error) {
	if clientID == "" {
		return nil, refusal(dispatch.CodeAudience, "capability tokens need a client_id")
	}
	if len(tokens) > MaxTokens {
		return nil, refusal(dispatch.CodeTokenInvalid, "there are more than %d capability tokens", MaxTokens)
	}
	var grants []dispatch.TokenGrant
	for i, token := range tokens {
		given, err := r.verify(clientID, token)
		if err != nil {
			err.Message = fmt.Sprintf("capability token %d: %s", i+1, err.Message)
			return nil, err
		}
		grants = append(grants, given...)
	}
	return grants, nil
}

// verify checks one token and its chain. Each link holds its parent's text, so
// the texts get shorter and the work is bounded by MaxTokenBytes and MaxLinks.
func (r *Roots) verify(clientID, token string) ([]dispatch.TokenGrant, *dispatch.Error) {
	if len(token) > MaxTokenBytes {
		return nil, refusal(dispatch.CodeTokenInvalid, "it has more than %d bytes", MaxTokenBytes)
	}
	chain, err := r.chain(token)
	if err != nil {
		return nil, err
	}
	leaf, root := chain[0], chain[len(chain)-1]
	if _, ok := r.trusted[root.Issuer]; !ok {
		return nil, refusal(dispatch.CodeTokenInvalid, "its root issuer is not trusted")
	}
	for i, link := range chain {
		if err := r.hold(link, root); err != nil {
			return nil, err
		}
		if i+1 < len(chain) {
			if err := delegated(chain[i+1], link); err != nil {
				return nil, err
			}
		}
	}
	if leaf.Audience != clientID {
		return nil, refusal(dispatch.CodeAudience, "it is for somebody else than the client_id")
	}
	grants := make([]dispatch.TokenGrant, len(leaf.Args.Caps))
	for i, c := range leaf.Args.Caps {
		grants[i] = dispatch.TokenGrant{Cap: c, Issuer: leaf.Issuer, Depth: uint8(len(chain) - 1)}
	}
	return grants, nil
}

// chain reads a token and its parents, each signed by its issuer: leaf first.
func (r *Roots) chain(token string) ([]*ucan, *dispatch.Error) {
	var chain []*ucan
	for {
		if len(chain) == MaxLinks {
			return nil, refusal(dispatch.CodeTooDeep, "its chain has more than %d links", MaxLinks)
		}
		sum := sha256.Sum256([]byte(token))
		if _, gone := r.revoked[hex.EncodeToString(sum[:])]; gone {
			return nil, refusal(dispatch.CodeTokenInvalid, "it, or a parent, is revoked")
		}
		link, err := parseUCAN(token)
		if err != nil {
			return nil, refusal(dispatch.CodeTokenInvalid, "%s", err.Error())
		}
		chain = append(chain, link)
		switch len(link.Proofs) {
		case 0:
			return chain, nil
		case 1:
			token = link.Proofs[0]
		default:
			return nil, refusal(dispatch.CodeTokenInvalid, "it has several parents")
		}
	}
}

// hold checks what a link says for itself.
func (r *Roots) hold(link, root *ucan) *dispatch.Error {
	switch {
	case link.Subject != nil && *link.Subject != root.Issuer:
		return refusal(dispatch.CodeTokenInvalid, "its subject is not its root issuer")
	case link.Expires <= r.now().Unix():
		return refusal(dispatch.CodeTokenExpired, "it, or a parent, has expired")
	}
	return nil
}

// delegated checks that a parent passed on what its child has.
func delegated(parent, child *ucan) *dispatch.Error {
	if parent.Audience != child.Issuer {
		return refusal(dispatch.CodeTokenInvalid, "its chain is broken: a parent is for somebody else")
	}
	for _, c := range child.Args.Caps {
		if !slices.Contains(parent.Args.Caps, c) {
			return refusal(dispatch.CodeTokenInvalid, "it claims more than its parent has")
		}
	}
	return nil
}

func refusal(code dispatch.Code, format string, args ...any) *dispatch.Error {
	return &dispatch.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
