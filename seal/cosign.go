package seal

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// The signature types of C2SP signed notes that are used here.
const (
	algEd25519 = 0x01 // a log's signature
	algCosign  = 0x04 // c2sp.org/tlog-cosignature, with Ed25519: signs the time too
)

// NewVerifier returns the verifier of a vkey: of a log's key, or of one that
// makes cosignatures (witnesses, epochs).
func NewVerifier(vkey string) (note.Verifier, error) {
	name, key, err := splitVKey(vkey)
	if err != nil {
		return nil, err
	}
	if key[0] != algCosign {
		return note.NewVerifier(vkey)
	}
	if len(key) != 1+ed25519.PublicKeySize {
		return nil, errVKey
	}
	return &cosignVerifier{name, keyID(name, key), ed25519.PublicKey(key[1:])}, nil
}

var errVKey = errors.New("not a verifier key: it has the form NAME+HASH+BASE64")

// splitVKey takes a vkey apart. The key begins with its algorithm.
func splitVKey(vkey string) (name string, key []byte, err error) {
	name, rest, _ := strings.Cut(vkey, "+")
	id, data, ok := strings.Cut(rest, "+")
	if !ok || !validName(name) {
		return "", nil, errVKey
	}
	key, err = base64.StdEncoding.Strict().DecodeString(data)
	if err != nil || len(key) < 2 || fmt.Sprintf("%08x", keyID(name, key)) != id {
		return "", nil, errVKey
	}
	return name, key, nil
}

// validName reports whether a key may be called name (C2SP signed-note): no
// white space and no plus.
func validName(name string) bool {
	return name != "" && !strings.ContainsAny(name, "+ \t\r\n") && strings.ToValidUTF8(name, "") == name
}

// formatVKey is the inverse of splitVKey.
func formatVKey(name string, key []byte) string {
	return fmt.Sprintf("%s+%08x+%s", name, keyID(name, key), base64.StdEncoding.EncodeToString(key))
}

func keyID(name string, key []byte) uint32 {
	h := sha256.New()
	h.Write([]byte(name + "\n"))
	h.Write(key)
	return binary.BigEndian.Uint32(h.Sum(nil))
}

// CosignatureVKey returns the verifier key of a cosigner.
func CosignatureVKey(name string, pub ed25519.PublicKey) string {
	return formatVKey(name, append([]byte{algCosign}, pub...))
}

// NewCosigner returns a signer that makes Ed25519 cosignatures at the time that
// now tells.
func NewCosigner(name string, key ed25519.PrivateKey, now func() time.Time) (note.Signer, error) {
	if !validName(name) {
		return nil, fmt.Errorf("seal: %q cannot be a key's name", name)
	}
	pub := key.Public().(ed25519.PublicKey)
	return &cosigner{name, keyID(name, append([]byte{algCosign}, pub...)), key, now}, nil
}

type cosigner struct {
	name string
	id   uint32
	key  ed25519.PrivateKey
	now  func() time.Time
}

// at returns a signer with the same key that signs a fixed time.
func (c *cosigner) at(t time.Time) *cosigner {
	return &cosigner{c.name, c.id, c.key, func() time.Time { return t }}
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.id }

func (c *cosigner) Sign(msg []byte) ([]byte, error) {
	at := uint64(max(c.now().Unix(), 0))
	sig := binary.BigEndian.AppendUint64(nil, at)
	return append(sig, ed25519.Sign(c.key, cosigned(at, msg))...), nil
}

type cosignVerifier struct {
	name string
	id   uint32
	key  ed25519.PublicKey
}

func (v *cosignVerifier) Name() string    { return v.name }
func (v *cosignVerifier) KeyHash() uint32 { return v.id }

func (v *cosignVerifier) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize || sig[0] > 0x7f {
		return false
	}
	return ed25519.Verify(v.key, cosigned(binary.BigEndian.Uint64(sig), msg), sig[8:])
}

// cosigned is the message that a cosignature signs.
func cosigned(at uint64, body []byte) []byte {
	b := append([]byte("cosignature/v1\ntime "), strconv.FormatUint(at, 10)...)
	return append(append(b, '\n'), body...)
}

// CosignatureTime returns the time that a verified cosignature signs.
func CosignatureTime(sig note.Signature) (time.Time, error) {
	b, err := base64.StdEncoding.DecodeString(sig.Base64)
	if err != nil || len(b) != 4+8+ed25519.SignatureSize {
		return time.Time{}, errors.New("seal: the signature has no time")
	}
	return time.Unix(int64(binary.BigEndian.Uint64(b[4:])), 0).UTC(), nil
}
