package atd

import (
	"crypto/ed25519"
	"errors"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/golang-jwt/jwt/v5"
	"github.com/mr-tron/base58"
)

// maxCaps is how many capabilities a token may have: each is looked for among
// its parent's.
const maxCaps = 128

// A ucan is the payload of a token: one link of a chain.
type ucan struct {
	Issuer   string  `json:"iss"`
	Audience string  `json:"aud"`
	Subject  *string `json:"sub"`
	Command  string  `json:"cmd"`
	Args     struct {
		Caps []string `json:"caps"`
	} `json:"args"`
	Expires int64    `json:"exp"` // Unix seconds; absent is 1970, long over
	Proofs  []string `json:"prf"`
}

// UnmarshalJSON takes names as they are and refuses duplicates, unlike
// encoding/json: a token must mean the same to everyone who reads it.
func (u *ucan) UnmarshalJSON(text []byte) error {
	type plain ucan
	return json.Unmarshal(text, (*plain)(u))
}

// The claims are checked with the chain, not by the parser.

func (u *ucan) GetExpirationTime() (*jwt.NumericDate, error) { return nil, nil }
func (u *ucan) GetIssuedAt() (*jwt.NumericDate, error)       { return nil, nil }
func (u *ucan) GetNotBefore() (*jwt.NumericDate, error)      { return nil, nil }
func (u *ucan) GetIssuer() (string, error)                   { return u.Issuer, nil }
func (u *ucan) GetSubject() (string, error)                  { return "", nil }
func (u *ucan) GetAudience() (jwt.ClaimStrings, error)       { return nil, nil }

var ucanParser = jwt.NewParser(
	jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}),
	jwt.WithoutClaimsValidation(),
	jwt.WithStrictDecoding(),
)

var errUCAN = errors.New("it is malformed, or its signature does not hold")

// parseUCAN reads one token and checks that its issuer signed it. Its errors
// are our own: those of the parser may quote the token.
func parseUCAN(token string) (*ucan, error) {
	u := new(ucan)
	parsed, err := ucanParser.ParseWithClaims(token, u, func(*jwt.Token) (any, error) {
		return didKey(u.Issuer)
	})
	if err != nil {
		return nil, errUCAN
	}
	_, critical := parsed.Header["crit"]
	switch {
	case parsed.Header["typ"] != "ucan/1.0+jwt", parsed.Header["ucv"] != "1.0":
		return nil, errors.New("its header is not that of ucan/1.0")
	case critical:
		return nil, errors.New("its header asks for an extension") // RFC 7515 §4.1.11
	case u.Command != "atd-cap":
		return nil, errors.New("its command is not atd-cap")
	case len(u.Args.Caps) > maxCaps:
		return nil, errors.New("it has too many capabilities")
	}
	return u, nil
}

// The start of a did:key of an Ed25519 key: z is base58btc, and the bytes ed 01
// the varint of multicodec 0xed. No such key takes more than maxDID bytes.
const (
	didPrefix = "did:key:z"
	didCodec  = "\xed\x01"
	maxDID    = 64
)

// didKey returns the key that a did:key is.
func didKey(did string) (ed25519.PublicKey, error) {
	encoded, ok := strings.CutPrefix(did, didPrefix)
	if !ok || len(did) > maxDID {
		return nil, errNoDID
	}
	raw, err := base58.Decode(encoded)
	if err != nil {
		return nil, errNoDID
	}
	key, ok := strings.CutPrefix(string(raw), didCodec)
	if !ok || len(key) != ed25519.PublicKeySize {
		return nil, errNoDID
	}
	return ed25519.PublicKey(key), nil
}

var errNoDID = errors.New("it is no did:key of an Ed25519 key")
