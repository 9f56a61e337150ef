package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	signed "golang.org/x/mod/sumdb/note"

	"github.com/tooltrail/tooltrail/internal/term"
	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/trail"
)

// verifyProof checks that one line is in a log, with the log's public key and
// nothing else.
func (a *app) verifyProof(f *verifyFlags, args []string) error {
	switch {
	case f.proof == "" || f.line == "":
		return usagef("--proof and --line go together")
	case f.proof == "-" && f.line == "-":
		return usagef("only one of --proof and --line can be standard input")
	case len(args) > 0 || len(f.anchors) > 0:
		return usagef("--proof needs no trail and no --anchor")
	}
	text, err := a.readInput(f.proof)
	if err != nil {
		return &usageError{Err: err}
	}
	line, err := a.readInput(f.line)
	if err != nil {
		return &usageError{Err: err}
	}
	line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
	p, err := seal.ParseProof(text)
	if err != nil {
		return &hintError{err, "tooltrail prove CALL_ID makes one"}
	}
	home, err := a.home(f.trail)
	if err != nil {
		return err
	}
	t, err := a.trust(f, homeOf(home), nil)
	if err != nil {
		return err
	}
	c, n, err := a.checkProof(p, line, t.keys)
	if err == nil && t.policy != nil {
		_, err = t.policy.Quorum(p.Checkpoint)
	}
	if f.asJSON {
		return a.proofJSON(p, c, n, err)
	}
	if err != nil {
		fmt.Fprintf(a.stdout, "%s  %s\n", a.outPalette().Paint(term.Red, "NOT PROVED"), term.Safe(err.Error()))
		return errSilent
	}
	return a.writeProof(p, c, n, line)
}

// checkProof verifies a proof with keys that are trusted.
func (a *app) checkProof(p *seal.Proof, line []byte, keys []string) (seal.Checkpoint, *signed.Note, error) {
	c, err := seal.PeekCheckpoint(p.Checkpoint)
	if err != nil {
		return c, nil, err
	}
	known := seal.LogVerifiers(keys, c.Origin)
	if len(known) == 0 {
		return c, nil, fmt.Errorf("no key that is trusted belongs to the log %s", c.Origin)
	}
	return p.Verify(line, signed.VerifierList(known...))
}

// writeProof says what a proof proves.
func (a *app) writeProof(p *seal.Proof, c seal.Checkpoint, n *signed.Note, line []byte) error {
	palette := a.outPalette()
	if _, err := fmt.Fprintf(a.stdout, "%s  the line is in the log\n", palette.Paint(term.Green, "proved")); err != nil {
		return err
	}
	fields := []field{
		{name: "log", value: c.Origin},
		{name: "line", value: fmt.Sprintf("%d, counted from 0, of %d", p.Index, c.Size)},
	}
	if at, ok := (trail.Line{Bytes: line}).Time(); ok {
		fields = append(fields, field{name: "recorded", value: at.In(a.zone).Format(time.DateTime)})
	}
	if others := cosigners(n, c.Origin); len(others) > 0 {
		fields = append(fields, field{name: "also signed by", value: joinWords(others) + " (not checked)"})
	}
	writeSheet(a.stdout, palette, fields)
	return nil
}

// cosigners names who else has signed a checkpoint: not the log or its epochs.
func cosigners(n *signed.Note, origin string) (names []string) {
	for _, s := range n.UnverifiedSigs {
		if s.Name != origin && !strings.HasPrefix(s.Name, origin+"/epoch/") {
			names = append(names, s.Name)
		}
	}
	return names
}

func (a *app) proofJSON(p *seal.Proof, c seal.Checkpoint, n *signed.Note, err error) error {
	out := map[string]any{"ok": err == nil, "origin": c.Origin, "index": p.Index, "size": c.Size}
	if err != nil {
		out["error"] = err.Error()
	} else {
		out["cosigners"] = cosigners(n, c.Origin)
	}
	return errors.Join(writeJSON(a.stdout, out), silentIf(err != nil))
}

func silentIf(failed bool) error {
	if failed {
		return errSilent
	}
	return nil
}

// readInput reads a file, or standard input for '-'.
func (a *app) readInput(path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(io.LimitReader(a.stdin, 1<<20))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 1<<20))
}
