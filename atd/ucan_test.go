package atd

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/mr-tron/base58"

	"github.com/tooltrail/tooltrail/dispatch"
)

// A signer issues tokens; the same name always has the same key.
type signer struct {
	did string
	key ed25519.PrivateKey
}

func newSigner(name string) signer {
	seed := sha256.Sum256([]byte(name))
	key := ed25519.NewKeyFromSeed(seed[:])
	return signer{didPrefix + base58.Encode(append([]byte(didCodec), key.Public().(ed25519.PublicKey)...)), key}
}

// A link is what a token under test says, beyond the usual.
type link struct {
	from   signer
	to     string
	caps   []string
	parent []string
	claims map[string]any // over the usual ones
	header map[string]any
}

func (l link) token(t testing.TB) string {
	t.Helper()
	claims := jwt.MapClaims{
		"iss": l.from.did, "aud": l.to, "cmd": "atd-cap", "nonce": "n",
		"args": map[string]any{"caps": l.caps}, "exp": time.Now().Add(time.Hour).Unix(), "prf": l.parent,
	}
	maps.Copy(claims, l.claims)
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims)
	token.Header["typ"], token.Header["ucv"] = "ucan/1.0+jwt", "1.0"
	maps.Copy(token.Header, l.header)
	text, err := token.SignedString(l.from.key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// chainOf returns a token at the end of n links from root to client.
func chainOf(t testing.TB, n int, root signer, client string) string {
	t.Helper()
	from, parent := root, []string(nil)
	for i := 1; i < n; i++ {
		next := newSigner(fmt.Sprint("link ", i))
		parent = []string{link{from: from, to: next.did, caps: []string{"read"}, parent: parent}.token(t)}
		from = next
	}
	return link{from: from, to: client, caps: []string{"read"}, parent: parent}.token(t)
}

func TestTokens(t *testing.T) {
	root, middle, stranger := newSigner("root"), newSigner("middle"), newSigner("stranger")
	client := newSigner("client").did
	read, both := []string{"read"}, []string{"read", "write"}
	good := link{from: root, to: client, caps: both}
	parent := func(l link) []string { return []string{l.token(t)} }
	toMiddle := link{from: root, to: middle.did, caps: read}
	over := map[string]any{"exp": time.Now().Unix()}
	with := func(claims map[string]any) link { l := good; l.claims = claims; return l }
	headed := func(header map[string]any) link { l := good; l.header = header; return l }
	roots, err := NewRoots(root.did)
	if err != nil {
		t.Fatal(err)
	}
	sum := func(token string) string { s := sha256.Sum256([]byte(token)); return hex.EncodeToString(s[:]) }
	gone := good.token(t)
	if roots, err = roots.Revoke(sum(gone)); err != nil {
		t.Fatal(err)
	}
	good.claims = map[string]any{"nonce": "another"}
	for _, tt := range []struct {
		name  string
		token string
		code  dispatch.Code // 0 is accepted
	}{
		{"one link", good.token(t), 0},
		{"subject is the root", with(map[string]any{"sub": root.did}).token(t), 0},
		{"two links", link{from: middle, to: client, caps: read, parent: parent(toMiddle)}.token(t), 0},
		{"five links", chainOf(t, 5, root, client), 0},
		{"six links", chainOf(t, 6, root, client), 1012},
		{"not trusted", link{from: stranger, to: client, caps: read}.token(t), 1010},
		{"trusted leaf of a stranger", link{from: root, to: client, caps: read, parent: parent(link{from: stranger, to: root.did, caps: read})}.token(t), 1010},
		{"forged", link{from: signer{root.did, stranger.key}, to: client, caps: read}.token(t), 1010},
		{"forged parent", link{from: middle, to: client, caps: read, parent: parent(link{from: signer{root.did, stranger.key}, to: middle.did, caps: read})}.token(t), 1010},
		{"unsigned", strings.Join(strings.Split(good.token(t), ".")[:2], ".") + ".", 1010},
		{"subject is another", with(map[string]any{"sub": stranger.did}).token(t), 1010},
		{"subject is empty", with(map[string]any{"sub": ""}).token(t), 1010},
		{"other typ", headed(map[string]any{"typ": "JWT"}).token(t), 1010},
		{"other ucv", headed(map[string]any{"ucv": "2.0"}).token(t), 1010},
		{"other alg", headed(map[string]any{"alg": "none"}).token(t), 1010},
		{"critical", headed(map[string]any{"crit": []string{"x"}}).token(t), 1010},
		{"other cmd", with(map[string]any{"cmd": "x"}).token(t), 1010},
		{"issuer is no DID", with(map[string]any{"iss": "root"}).token(t), 1010},
		{"several parents", link{from: middle, to: client, caps: read, parent: append(parent(toMiddle), parent(toMiddle)...)}.token(t), 1010},
		{"broken chain", link{from: stranger, to: client, caps: read, parent: parent(toMiddle)}.token(t), 1010},
		{"widened", link{from: middle, to: client, caps: both, parent: parent(toMiddle)}.token(t), 1010},
		{"revoked", gone, 1010},
		{"expired", with(over).token(t), 1011},
		{"no expiry", with(map[string]any{"exp": nil}).token(t), 1011},
		{"parent expired", link{from: middle, to: client, caps: read, parent: parent(link{from: root, to: middle.did, caps: read, claims: over})}.token(t), 1011},
		{"for somebody else", link{from: root, to: middle.did, caps: read}.token(t), 1013},
		{"too many capabilities", link{from: root, to: client, caps: make([]string, maxCaps+1)}.token(t), 1010},
		{"too long", with(map[string]any{"nonce": strings.Repeat("n", MaxTokenBytes)}).token(t), 1010},
		{"empty", "", 1010},
	} {
		t.Run(tt.name, func(t *testing.T) {
			grants, refused := roots.VerifyTokens(client, []string{tt.token})
			if tt.code == 0 {
				if refused != nil || len(grants) == 0 {
					t.Fatalf("refused: %v", refused)
				}
				return
			}
			if refused == nil || refused.Code != tt.code || grants != nil {
				t.Fatalf("got %v, want code %d", refused, tt.code)
			}
			for part := range strings.SplitSeq(tt.token, ".") {
				if len(part) > 8 && strings.Contains(refused.Message, part[:8]) {
					t.Errorf("the message quotes the token: %s", refused.Message)
				}
			}
		})
	}
	t.Run("names the leaf", func(t *testing.T) {
		grants, refused := roots.VerifyTokens(client, []string{chainOf(t, 3, root, client)})
		want := dispatch.TokenGrant{Cap: "read", Issuer: newSigner("link 2").did, Depth: 2}
		if refused != nil || len(grants) != 1 || grants[0] != want {
			t.Errorf("got %v, %v", grants, refused)
		}
	})
	t.Run("one bad token spoils all", func(t *testing.T) {
		if grants, refused := roots.VerifyTokens(client, []string{good.token(t), gone}); refused == nil || grants != nil {
			t.Errorf("got %v, %v", grants, refused)
		}
	})
	t.Run("too many", func(t *testing.T) {
		if _, refused := roots.VerifyTokens(client, make([]string, MaxTokens+1)); refused == nil || !strings.Contains(refused.Message, "more than") {
			t.Errorf("got %v", refused)
		}
	})
}

func TestNewRootsRefuses(t *testing.T) {
	if _, err := NewRoots(); err == nil {
		t.Error("no root is accepted")
	}
	for _, did := range []string{"", "did:key:z", "did:web:example.org", newSigner("a").did + "1", strings.Repeat("z", 1<<20)} {
		if _, err := NewRoots(did); err == nil {
			t.Errorf("%.40q is accepted", did)
		}
	}
	roots, err := NewRoots(newSigner("a").did)
	if err != nil {
		t.Fatal(err)
	}
	for _, sum := range []string{"", "00", strings.Repeat("AB", 32), strings.Repeat("z", 64)} {
		if _, err := roots.Revoke(sum); err == nil {
			t.Errorf("revoking %q is accepted", sum)
		}
	}
}

// FuzzTokens: nothing but what a root signed is ever granted.
func FuzzTokens(f *testing.F) {
	root, client := newSigner("root"), newSigner("client").did
	roots, err := NewRoots(root.did)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(chainOf(f, 2, newSigner("stranger"), client))
	f.Add(link{from: signer{root.did, newSigner("stranger").key}, to: client, caps: []string{"read"}}.token(f))
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, token string) {
		if grants, refused := roots.VerifyTokens(client, []string{token}); refused == nil {
			t.Fatalf("granted %v", grants)
		}
	})
}
