package seal

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A Proof shows, to who has the log's public key alone, that a line is in a
// sealed trail. Its text is a c2sp.org/tlog-proof@v1.
type Proof struct {
	// Index is the line's.
	Index uint64
	// Hashes lead from the line's leaf to the root.
	Hashes tlog.RecordProof
	// Checkpoint is the signed checkpoint that has this root.
	Checkpoint []byte
}

const (
	proofHeader = "c2sp.org/tlog-proof@v1"
	// maxProof bounds a proof's text, in bytes: 63 hashes, and signatures of
	// some dozens of witnesses.
	maxProof = 64 << 10
)

// ErrNotSealed says that no checkpoint covers a line yet.
var ErrNotSealed = errors.New("seal: no checkpoint covers the line yet")

// Prove makes the proof of the line at an index, with the newest checkpoint
// that others have cosigned where the history has one for it, else with the
// newest.
func Prove(dir string, index uint64) (*Proof, error) {
	signed, size, err := provingCheckpoint(dir, index)
	if err != nil {
		return nil, err
	}
	tree, err := OpenTree(dir)
	if err != nil {
		return nil, err
	}
	defer tree.Close()
	hashes, err := tlog.ProveRecord(int64(size), int64(index), tree)
	if err != nil {
		return nil, fmt.Errorf("seal: prove line %d: %w", index, err)
	}
	return &Proof{index, hashes, signed}, nil
}

// provingCheckpoint chooses the checkpoint of a proof.
func provingCheckpoint(dir string, index uint64) (signed []byte, size uint64, err error) {
	signed, err = os.ReadFile(filepath.Join(dir, checkpointName))
	if err != nil {
		if os.IsNotExist(err) {
			err = ErrNotSealed
		}
		return nil, 0, err
	}
	c, err := PeekCheckpoint(signed)
	if err != nil {
		return nil, 0, err
	}
	size = c.Size
	if index >= size {
		return nil, 0, fmt.Errorf("%w: line %d of %d sealed ones", ErrNotSealed, index, size)
	}
	for e, err := range History(dir) {
		if err != nil {
			break // the newest checkpoint serves as well
		}
		c, err := PeekCheckpoint([]byte(e.Note))
		if err == nil && index < c.Size && strings.Count(e.Note, "\n— ") > strings.Count(e.Note, "\n— "+c.Origin) {
			signed, size = []byte(e.Note), c.Size
		}
	}
	return signed, size, nil
}

// String returns the proof's text.
func (p *Proof) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nindex %d\n", proofHeader, p.Index)
	for _, h := range p.Hashes {
		fmt.Fprintf(&b, "%s\n", h)
	}
	return b.String() + "\n" + string(p.Checkpoint)
}

var errProof = errors.New("seal: not a proof (" + proofHeader + ")")

// ParseProof reads the text of a proof. Nothing is verified.
func ParseProof(text []byte) (*Proof, error) {
	head, signed, ok := bytes.Cut(text, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !ok || len(text) > maxProof || lines[0] != proofHeader {
		return nil, errProof
	}
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:] // not authenticated, and of no use to us
	}
	if len(lines) == 0 {
		return nil, errProof
	}
	number, ok := strings.CutPrefix(lines[0], "index ")
	index, err := strconv.ParseUint(number, 10, 63)
	if !ok || err != nil || strconv.FormatUint(index, 10) != number || len(lines) > 64 {
		return nil, fmt.Errorf("%w: index", errProof)
	}
	p := &Proof{Index: index, Checkpoint: bytes.Clone(signed)}
	for _, line := range lines[1:] {
		h, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil || len(h) != tlog.HashSize {
			return nil, fmt.Errorf("%w: hash %q", errProof, line)
		}
		p.Hashes = append(p.Hashes, tlog.Hash(h))
	}
	return p, nil
}

// ErrProof says that a proof does not hold for a line.
var ErrProof = errors.New("seal: the proof is not one of this line")

// Verify checks that the line, without its '\n', stands in the log whose key
// is known at the proof's index. The checkpoint's note has the signatures that
// known verifies.
func (p *Proof) Verify(line []byte, known note.Verifiers) (Checkpoint, *note.Note, error) {
	c, n, err := OpenCheckpoint(p.Checkpoint, known)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	if err := tlog.CheckRecord(p.Hashes, int64(c.Size), c.Root, int64(p.Index), LeafHash(line)); err != nil {
		return Checkpoint{}, nil, ErrProof
	}
	return c, n, nil
}

// LogVerifiers returns the verifiers of the keys that may sign for a log: keys
// of homes, whose name and a slash begin its origin, and its own. There may be
// none.
func LogVerifiers(vkeys []string, origin string) []note.Verifier {
	var list []note.Verifier
	for _, vkey := range vkeys {
		name, err := VKeyName(vkey)
		if err != nil || name != origin && !strings.HasPrefix(origin, name+"/") {
			continue
		}
		if vkey, err = RenameVKey(vkey, origin); err != nil {
			continue
		}
		if v, err := note.NewVerifier(vkey); err == nil {
			list = append(list, v)
		}
	}
	return list
}
