package seal

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// A Key is an Ed25519 key that signs under a name: a home's log key, from
// which every trail's is derived by its name, or the key of an eraser or of a
// witness.
type Key struct {
	// Name is the key's name in signed notes.
	Name string
	priv ed25519.PrivateKey
}

// NewKey makes a key.
func NewKey(name string) (*Key, error) {
	if !validName(name) {
		return nil, fmt.Errorf("seal: %q cannot be a key's name", name)
	}
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	return &Key{name, priv}, err
}

var errSKey = errors.New("seal: not a signer key: it has the form PRIVATE+KEY+NAME+HASH+BASE64")

// ParseKey reads what Secret returned: the signer key of package note.
func ParseKey(secret string) (*Key, error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(secret), "PRIVATE+KEY+")
	name, rest, _ := strings.Cut(rest, "+")
	id, data, _ := strings.Cut(rest, "+")
	seed, err := base64.StdEncoding.Strict().DecodeString(data)
	if !ok || err != nil || !validName(name) || len(seed) != 1+ed25519.SeedSize || seed[0] != algEd25519 {
		return nil, errSKey
	}
	k := &Key{name, ed25519.NewKeyFromSeed(seed[1:])}
	if id != fmt.Sprintf("%08x", k.id()) {
		return nil, errSKey
	}
	return k, nil
}

// Secret returns the key in the form of a note's signer key. It must be kept
// to oneself.
func (k *Key) Secret() string {
	seed := append([]byte{algEd25519}, k.priv.Seed()...)
	return fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", k.Name, k.id(), base64.StdEncoding.EncodeToString(seed))
}

// VKey returns the verifier key: public, and what others pin.
func (k *Key) VKey() string { return formatVKey(k.Name, k.public()) }

// Signer returns what signs notes with the key.
func (k *Key) Signer() note.Signer { return keySigner{k} }

// Named returns the same key under another name.
func (k *Key) Named(name string) *Key { return &Key{name, k.priv} }

// Private returns the key itself.
func (k *Key) Private() ed25519.PrivateKey { return k.priv }

func (k *Key) public() []byte {
	return append([]byte{algEd25519}, k.priv.Public().(ed25519.PublicKey)...)
}

func (k *Key) id() uint32 { return keyID(k.Name, k.public()) }

// RenameVKey returns the verifier key of the same log key under another name.
func RenameVKey(vkey, name string) (string, error) {
	_, key, err := splitVKey(vkey)
	if err != nil || key[0] != algEd25519 || !validName(name) {
		return "", errVKey
	}
	return formatVKey(name, key), nil
}

// VKeyName returns the name in a verifier key.
func VKeyName(vkey string) (string, error) {
	name, _, err := splitVKey(vkey)
	return name, err
}

// keySigner signs as note.NewSigner's signers do.
type keySigner struct{ k *Key }

func (s keySigner) Name() string    { return s.k.Name }
func (s keySigner) KeyHash() uint32 { return s.k.id() }

func (s keySigner) Sign(msg []byte) ([]byte, error) { return ed25519.Sign(s.k.priv, msg), nil }

// CosignerVKey returns the verifier key of the key as a cosigner's, of a
// witness.
func (k *Key) CosignerVKey() string {
	return CosignatureVKey(k.Name, k.priv.Public().(ed25519.PublicKey))
}
