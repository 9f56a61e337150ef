package main

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/seal/witness"
)

// startWitness runs a witness on loopback for a script: POLICY names it, KEYS
// is a folder with the log key that it knows.
func startWitness(e *testscript.Env) error {
	log, err := seal.NewKey("tooltrail/script")
	if err != nil {
		return err
	}
	key, err := seal.NewKey("witness/script")
	if err != nil {
		return err
	}
	w, err := witness.New(filepath.Join(e.WorkDir, "witness"), key, &witness.Options{Logs: []string{log.VKey()}})
	if err != nil {
		return err
	}
	s := httptest.NewServer(w)
	e.Defer(func() { s.Close(); w.Close() })
	keys, policy := filepath.Join(e.WorkDir, "keys"), filepath.Join(e.WorkDir, "policy")
	if err := os.Mkdir(keys, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(keys, "log.key"), []byte(log.Secret()+"\n"), 0o600); err != nil {
		return err
	}
	e.Setenv("KEYS", keys)
	e.Setenv("POLICY", policy)
	text := fmt.Sprintf("log %s\nwitness second %s %s\nquorum second\n", log.VKey(), w.VKey(), s.URL)
	return os.WriteFile(policy, []byte(text), 0o600)
}
