package witness

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// Bounds of a request: 63 hashes, and a checkpoint.
const (
	maxHashes  = 63
	maxRequest = 64 << 10
)

// A request is the body of add-checkpoint.
type request struct {
	old        uint64
	proof      tlog.TreeProof
	checkpoint []byte
}

func (r *request) encode() []byte {
	b := fmt.Appendf(nil, "old %d\n", r.old)
	for _, h := range r.proof {
		b = fmt.Appendf(b, "%s\n", h)
	}
	return append(append(b, '\n'), r.checkpoint...)
}

var errRequest = errors.New("not an add-checkpoint request")

func parseRequest(body []byte) (*request, error) {
	head, checkpoint, ok := bytes.Cut(body, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	number, isOld := strings.CutPrefix(lines[0], "old ")
	old, err := strconv.ParseUint(number, 10, 63)
	if !ok || !isOld || err != nil || strconv.FormatUint(old, 10) != number {
		return nil, fmt.Errorf("%w: it begins with the old size", errRequest)
	}
	if len(lines)-1 > maxHashes {
		return nil, fmt.Errorf("%w: more than %d hashes", errRequest, maxHashes)
	}
	r := &request{old: old, checkpoint: checkpoint}
	for _, line := range lines[1:] {
		h, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil || len(h) != tlog.HashSize {
			return nil, fmt.Errorf("%w: hash %q", errRequest, line)
		}
		r.proof = append(r.proof, tlog.Hash(h))
	}
	return r, nil
}
