package dispatch

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tooltrail/tooltrail/audit"
)

// MaxClientID is how long a caller's id may be, in bytes. Every session keeps
// one; an event keeps 1 KiB of it, and the digest of the whole.
const MaxClientID = 64 << 10

// A grant is what a Hello gave a session. It never changes.
type grant struct {
	caller       string
	capabilities []string // sorted, never nil
	provenance   []audit.Provenance
}

// missing returns those of the required capabilities that are not granted; both
// are sorted.
func (g *grant) missing(required []string) []string {
	var missing []string
	for _, c := range required {
		if _, ok := slices.BinarySearch(g.capabilities, c); !ok {
			missing = append(missing, c)
		}
	}
	return missing
}

// A TokenVerifier turns capability tokens into capabilities. All tokens have to
// hold; the error is the answer.
type TokenVerifier interface {
	VerifyTokens(clientID string, tokens []string) ([]TokenGrant, *Error)
}

// A TokenGrant is a capability that a token gives.
type TokenGrant struct {
	Cap    string
	Issuer string // the DID of who signed the token
	Depth  uint8  // the token's place in its chain, 0 for the root
}

// noTokens refuses every token: where no roots are trusted, anybody could sign.
type noTokens struct{}

func (noTokens) VerifyTokens(string, []string) ([]TokenGrant, *Error) {
	return nil, &Error{Code: CodeTokenInvalid, Message: "capability tokens are not accepted: no roots are trusted"}
}

// grant works out what a Hello gives. A Hello that is refused gives nothing,
// and changes nothing.
func (d *Dispatcher) grant(h Hello) (*grant, *Error) {
	if n := len(h.ClientID); n > MaxClientID {
		return nil, &Error{Code: CodeMalformed, Message: fmt.Sprintf("the client_id has %d bytes, more than %d", n, MaxClientID)}
	}
	g := &grant{caller: h.ClientID, capabilities: []string{}}
	for _, c := range d.opts.Allow {
		if slices.Contains(h.RequestedCapabilities, c) {
			g.add(c, audit.ProvenanceSource{Kind: "string_allow_list"})
		}
	}
	if len(h.UCANTokens) > 0 {
		if h.ClientID == "" {
			return nil, &Error{Code: CodeAudience, Message: "capability tokens need a client_id"}
		}
		given, err := d.tokens.VerifyTokens(h.ClientID, h.UCANTokens)
		if err != nil {
			return nil, err
		}
		for _, t := range given {
			g.add(t.Cap, audit.ProvenanceSource{Kind: "ucan_chain", IssuerDID: t.Issuer, ChainDepth: t.Depth})
		}
	}
	slices.Sort(g.capabilities)
	slices.SortFunc(g.provenance, compareProvenance)
	g.provenance = slices.Compact(g.provenance)
	return g, nil
}

func (g *grant) add(capability string, source audit.ProvenanceSource) {
	if !slices.Contains(g.capabilities, capability) {
		g.capabilities = append(g.capabilities, capability)
	}
	g.provenance = append(g.provenance, audit.Provenance{Cap: capability, Source: source})
}

func compareProvenance(a, b audit.Provenance) int {
	return strings.Compare(a.Cap+"\x00"+a.Source.Kind+"\x00"+a.Source.IssuerDID, b.Cap+"\x00"+b.Source.Kind+"\x00"+b.Source.IssuerDID)
}
