package reftools

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/dispatch"
)

// newWeb returns a server on loopback, and one that may fetch from it.
func newWeb(t *testing.T, f *fetcher) (*server, *httptest.Server) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprintf(w, "%s ü \xff", r.Method)
	})
	mux.HandleFunc("/gone", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) })
	mux.HandleFunc("/endless", func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write([]byte(strings.Repeat("\x01", 1<<10))); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/hang", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/hops/{n}", func(w http.ResponseWriter, r *http.Request) {
		to := "/page"
		if n := r.PathValue("n"); n != "0" {
			to = "/hops/" + string(n[0]-1)
		}
		http.Redirect(w, r, to, http.StatusFound)
	})
	mux.HandleFunc("/to", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", r.URL.Query().Get("url"))
		w.WriteHeader(http.StatusFound)
	})
	web := httptest.NewServer(mux)
	t.Cleanup(web.Close)
	return newServer(t, fetch(f)), web
}

func TestFetch(t *testing.T) {
	s, web := newWeb(t, &fetcher{loopback: true})
	for _, c := range []struct {
		args object
		want fetchResult
	}{
		{object{"url": web.URL + "/page"}, fetchResult{200, "text/plain", "GET ü \uFFFD", false}},
		{object{"url": web.URL + "/page", "method": "HEAD"}, fetchResult{200, "text/plain", "", false}},
		{object{"url": web.URL + "/gone"}, fetchResult{410, "", "", false}},
		{object{"url": web.URL + "/hops/4"}, fetchResult{200, "text/plain", "GET ü \uFFFD", false}},
	} {
		if got := must[fetchResult](s, s.session(), "ref:web.fetch", c.args); got != c.want {
			t.Errorf("%v: %+v, want %+v", c.args, got, c.want)
		}
	}
	endless := must[fetchResult](s, s.session(), "ref:web.fetch", object{"url": web.URL + "/endless"})
	if !endless.Truncated || len(endless.Body) < 400 {
		t.Errorf("%d bytes of an endless body, truncated %v", len(endless.Body), endless.Truncated)
	}
}

func TestFetchFails(t *testing.T) {
	s, web := newWeb(t, &fetcher{loopback: true, resolver: &net.Resolver{
		PreferGo: true,
		Dial:     func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no network here") },
	}})
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for url, code := range map[string]string{
		web.URL + "/hops/5":                           "TOO_MANY_REDIRECTS",
		web.URL + "/to?url=ftp://127.0.0.1/":          "NOT_AVAILABLE",
		web.URL + "/to?url=http://10.1.2.3/":          "PRIVATE_ADDRESS_BLOCKED",
		web.URL + "/to?url=http://[::ffff:10.1.2.3]/": "PRIVATE_ADDRESS_BLOCKED",
		secure.URL: "TLS_FAILED",
		strings.Replace(web.URL, "http", "https", 1): "TLS_FAILED",
		closed.URL:                        "IO",
		"http://host.invalid/":            "DNS_FAILED",
		"ftp://127.0.0.1/":                "invalid args",
		"file:///etc/passwd":              "invalid args",
		"http://":                         "invalid args",
		"127.0.0.1":                       "invalid args",
		"http://user:password@127.0.0.1/": "invalid args",
		"":                                "invalid args",
	} {
		s.ends(s.session(), "ref:web.fetch", code, object{"url": url})
	}
	s.ends(s.session(), "ref:web.fetch", "invalid args", object{"url": web.URL, "method": "POST"})
}

func TestFetchEndsWithItsTime(t *testing.T) {
	_, web := newWeb(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := fetch(&fetcher{loopback: true}).Call(ctx, &dispatch.Call{Args: []byte(`{"url":"` + web.URL + `/hang"}`), MaxOutput: 1000})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestFetchRefusesPrivateAddresses(t *testing.T) {
	s, web := newWeb(t, &fetcher{})
	_, port, _ := net.SplitHostPort(web.Listener.Addr().String())
	for _, host := range []string{
		"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]", "10.0.0.1", "172.31.0.1", "192.168.1.1",
		"169.254.169.254", "100.64.0.1", "[fd00:ec2::254]", "[64:ff9b::7f00:1]", "[fe80::1%25lo]",
	} {
		s.ends(s.session(), "ref:web.fetch", "PRIVATE_ADDRESS_BLOCKED", object{"url": "http://" + host + ":" + port + "/page"})
	}
}

// A proxy would be connected to in place of the address.
func TestFetchTakesNoProxy(t *testing.T) {
	if (&fetcher{}).client().Transport.(*http.Transport).Proxy != nil {
		t.Error("there is a proxy")
	}
}

func TestPublicAddresses(t *testing.T) {
	for text, want := range map[string]bool{
		"1.1.1.1": true, "8.8.8.8": true, "172.15.255.255": true, "172.32.0.0": true, "100.128.0.0": true, "::ffff:8.8.8.8": true,
		"2606:4700::1111": true, "2a00::1": true, "2001:4860:4860::8888": true,
		"0.1.2.3": false, "10.255.255.255": false, "100.64.0.0": false, "100.127.255.255": false, "100.100.100.200": false,
		"127.255.255.255": false, "169.254.169.254": false, "172.16.0.0": false, "172.31.255.255": false, "192.0.0.192": false,
		"192.168.0.1": false, "198.18.0.1": false, "203.0.113.1": false, "224.0.0.1": false, "239.1.1.1": false,
		"255.255.255.255": false, "168.63.129.16": false, "::ffff:10.0.0.1": false, "::10.0.0.1": false, "::": false, "::1": false,
		"fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd00:ec2::254": false, "ff02::1": false,
		"64:ff9b::8.8.8.8": false, "64:ff9b:1::1": false, "100::1": false, "2001::1": false, "2001:db8::1": false,
		"2002:7f00:1::": false, "3fff::1": false,
	} {
		if got := isPublic(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
