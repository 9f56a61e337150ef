package main

import (
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/tooltrail/tooltrail/atd"
)

// serveMetrics serves Prometheus' text format on /metrics and the snapshot as
// JSON on /snapshot. stop ends that; where addr is "" there is nothing to end.
func (a *app) serveMetrics(addr string, server *atd.Server) (stop func(), err error) {
	if addr == "" {
		return func() {}, nil
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, &usageError{fmt.Errorf("--metrics: %w", err), "--metrics 127.0.0.1:9464"}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", atd.PrometheusType)
		_, _ = w.Write(server.Snapshot().AppendPrometheus(nil))
	})
	mux.HandleFunc("GET /snapshot", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = writeJSON(w, server.Snapshot())
	})
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	fmt.Fprintf(a.stderr, "tooltrail: metrics on http://%s/metrics\n", l.Addr())
	go func() { _ = s.Serve(l) }()
	return func() { _ = s.Close() }, nil
}
