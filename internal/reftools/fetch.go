package reftools

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/tooltrail/tooltrail/dispatch"
)

// Codes of failures, as ATD has them.
const (
	codePrivate   = "PRIVATE_ADDRESS_BLOCKED"
	codeDNS       = "DNS_FAILED"
	codeTLS       = "TLS_FAILED"
	codeRedirects = "TOO_MANY_REDIRECTS"
)

const (
	maxRedirects   = 5
	maxHeader      = 64 << 10
	maxContentType = 256
)

type fetchArgs struct {
	URL    string `json:"url"`
	Method string `json:"method"`
}

type fetchResult struct {
	Status      int    `json:"status"`
	ContentType string `json:"content_type"`
	Body        string `json:"body"`
	Truncated   bool   `json:"truncated"`
}

// fetch gets a page of the public web.
func fetch(f *fetcher) dispatch.Tool {
	return dispatch.Func(define(dispatch.Definition{
		ID: "ref:web.fetch", Name: "Fetch", Description: "Gets a page of the public web. Private addresses are refused.",
		Capability: dispatch.Capability{Domain: "web", Actions: []string{"fetch"}, Tags: []string{"http", "network"}},
		Safety:     dispatch.Safety{Level: dispatch.SafetyRead, SideEffects: []string{"a request to another host"}},
		Resources:  dispatch.Resources{MaxConcurrent: 10},
		Tier:       dispatch.TierCold,
		Errors: []dispatch.ErrorSpec{
			{Code: codePrivate, Description: "the address is not on the public internet"},
			{Code: codeDNS, Description: "the host's name has no address", Retryable: true},
			{Code: codeTLS, Description: "the server's certificate or its TLS does not hold"},
			{Code: codeRedirects, Description: "more than 5 redirects"},
			{Code: codeNotAvailable, Description: "a redirect leads to what is neither http nor https"},
			{Code: "TIMEOUT", Description: "no answer in time", Retryable: true},
			{Code: codeIO, Description: "the connection failed", Retryable: true},
		},
	}, `{"type":"object","properties":{
		"url":{"type":"string","description":"http or https"},
		"method":{"enum":["GET","HEAD"],"description":"GET unless given"}
	},"required":["url"]}`, `{"type":"object","properties":{
		"status":{"type":"integer"},
		"content_type":{"type":"string"},
		"body":{"type":"string"},
		"truncated":{"type":"boolean","description":"the body goes on"}
	},"required":["status","content_type","body","truncated"]}`), f.fetch)
}

// A fetcher fetches pages.
type fetcher struct {
	loopback bool          // for tests: loopback may be reached
	resolver *net.Resolver // nil is the system's
}

func (f *fetcher) fetch(ctx context.Context, c *dispatch.Call, a fetchArgs) (any, error) {
	u, err := url.Parse(a.URL)
	switch {
	case err != nil || u.Host == "" || !isWeb(u):
		return nil, dispatch.InvalidArgs("/url: must be an http or https URL")
	case u.User != nil:
		return nil, dispatch.InvalidArgs("/url: must not hold a user or a password")
	}
	r, err := http.NewRequestWithContext(ctx, a.Method, u.String(), nil)
	if err != nil {
		return nil, dispatch.InvalidArgs("/url: cannot be requested")
	}
	r.Header.Set("User-Agent", "tooltrail")
	reply, err := f.client().Do(r)
	if err != nil {
		return nil, failedFetch(ctx, err)
	}
	defer reply.Body.Close()
	return readPage(ctx, c, reply)
}

func isWeb(u *url.URL) bool { return u.Scheme == "http" || u.Scheme == "https" }

// client returns a client that keeps no connection and takes no proxy: behind
// one, the addresses could not be seen.
func (f *fetcher) client() *http.Client {
	dialer := &net.Dialer{Control: f.control, Resolver: f.resolver}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, DisableKeepAlives: true, MaxResponseHeaderBytes: maxHeader,
		},
		CheckRedirect: checkRedirect,
	}
}

func checkRedirect(r *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return dispatch.Fail(codeRedirects, false, "more than %d redirects", maxRedirects)
	}
	if !isWeb(r.URL) {
		return dispatch.Fail(codeNotAvailable, false, "a redirect leads to what is neither http nor https")
	}
	return nil
}

// readPage reads as much of the body as the result may hold.
func readPage(ctx context.Context, c *dispatch.Call, reply *http.Response) (any, error) {
	kind := fit(strings.ToValidUTF8(reply.Header.Get("Content-Type"), "\uFFFD"), maxContentType)
	room := max(c.MaxOutput-frame-maxContentType, 0)
	raw, err := io.ReadAll(io.LimitReader(reply.Body, int64(room)+1))
	if err != nil {
		return nil, failedFetch(ctx, err)
	}
	text := strings.ToValidUTF8(string(raw), "\uFFFD")
	body := fit(text, room)
	return fetchResult{reply.StatusCode, kind, body, len(body) < len(text)}, nil
}

// failedFetch gives an error of package net or net/http its code.
func failedFetch(ctx context.Context, err error) error {
	var f *dispatch.Failure
	var dns *net.DNSError
	var request *url.Error
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &f):
		return f
	case errors.Is(err, errPrivate):
		return dispatch.Fail(codePrivate, false, "the address is not on the public internet")
	case errors.As(err, &dns):
		return dispatch.Fail(codeDNS, !dns.IsNotFound, "the name of the host has no address")
	case isTLS(err):
		return dispatch.Fail(codeTLS, false, "the server's certificate or its TLS does not hold")
	case errors.As(err, &request):
		err = request.Err
	}
	return dispatch.Fail(codeIO, true, "%v", err)
}

func isTLS(err error) bool {
	var certificate *tls.CertificateVerificationError
	var header tls.RecordHeaderError
	var alert tls.AlertError
	var host x509.HostnameError
	return errors.As(err, &certificate) || errors.As(err, &header) || errors.As(err, &alert) || errors.As(err, &host) ||
		errors.Is(err, http.ErrSchemeMismatch) || strings.Contains(err.Error(), "tls: ")
}
