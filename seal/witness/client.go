package witness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tooltrail/tooltrail/seal"
)

// A Client submits checkpoints to one witness. It is safe for concurrent use.
type Client struct {
	url      string
	verifier note.Verifier
	http     *http.Client
}

// ClientOptions configure a [Client].
type ClientOptions struct {
	// Timeout bounds one submission. 0 means 10 seconds.
	Timeout time.Duration
}

// NewClient returns a client of the witness that takes submissions at a URL
// (its submission prefix) and has a verifier key. o may be nil.
func NewClient(prefix, vkey string, o *ClientOptions) (*Client, error) {
	u, err := url.Parse(prefix)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("witness: %q is not a URL of http or https", prefix)
	}
	v, err := seal.NewVerifier(vkey)
	if err != nil {
		return nil, err
	}
	timeout := 10 * time.Second
	if o != nil && o.Timeout > 0 {
		timeout = o.Timeout
	}
	return &Client{
		url: strings.TrimSuffix(prefix, "/") + "/add-checkpoint", verifier: v,
		http: &http.Client{Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // a witness does not send us elsewhere
		}},
	}, nil
}

// A ConflictError says which size of the log the witness has seen last; the
// submission was made for another.
type ConflictError struct{ Size uint64 }

// Error names the size.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("witness: it has seen %d lines last", e.Size)
}

// A RefusedError is any other answer than a cosignature.
type RefusedError struct {
	// Status is the HTTP status: 403 for a key and 404 for a log that it does
	// not know, 422 for a history that is not the one it knows.
	Status int
	Text   string
}

// Error names the status and what the witness said.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("witness: refused with %d %s: %s", e.Status, http.StatusText(e.Status), e.Text)
}

var errAnswer = errors.New("witness: the answer holds no valid cosignature of the witness")

// Submit asks for a cosignature of a signed checkpoint. The proof shows that
// it goes on from the old size, which is 0 with no proof the first time. It
// returns the signature's line, with its '\n'.
func (c *Client) Submit(ctx context.Context, signed []byte, old uint64, proof tlog.TreeProof) (line string, err error) {
	body := (&request{old, proof, signed}).encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("witness: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return "", fmt.Errorf("witness: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxRequest))
	if err != nil {
		return "", fmt.Errorf("witness: %w", err)
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return c.signature(signed, answer)
	case http.StatusConflict:
		size, err := strconv.ParseUint(strings.TrimSuffix(string(answer), "\n"), 10, 63)
		if err == nil {
			return "", &ConflictError{size}
		}
	}
	text, _, _ := strings.Cut(string(answer), "\n")
	return "", &RefusedError{resp.StatusCode, text[:min(len(text), 200)]}
}

// signature finds the witness's signature in its answer.
func (c *Client) signature(signed, answer []byte) (string, error) {
	body, _, ok := bytes.Cut(signed, []byte("\n\n"))
	if !ok {
		return "", errAnswer
	}
	n, err := note.Open(append(append(bytes.Clone(body), "\n\n"...), answer...), note.VerifierList(c.verifier))
	if err != nil || len(n.Sigs) == 0 {
		return "", errAnswer
	}
	return fmt.Sprintf("— %s %s\n", n.Sigs[0].Name, n.Sigs[0].Base64), nil
}
