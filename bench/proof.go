package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/seal"
)

// measureProof times what is done with a large sealed trail later.
func measureProof(c *config) error {
	dir := filepath.Join(c.dir, "large")
	defer os.RemoveAll(dir)
	n := c.times(10_000_000)
	t, _, err := sealed(dir)
	if err != nil {
		return err
	}
	q := audit.NewQueue(t, &audit.QueueOptions{Policy: audit.Block, Capacity: 8192})
	ev := ready()
	for range n {
		q.OnCall(ev)
	}
	if err := closeQueue(q); err != nil {
		return err
	}
	heading(fmt.Sprintf("A sealed trail of %.1f M lines", float64(n)/1e6), "", "")
	row("the machine: SHA-256 of a line and of a node, nothing else", fmt.Sprintf("%.2f M lines/s", hashRate()/1e6))
	for _, workers := range []int{1, 2} {
		took, err := verifyTime(dir, workers)
		if err != nil {
			return err
		}
		row(fmt.Sprintf("verify, %d goroutines", workers), fmt.Sprintf("%.2f M lines/s", float64(n)/took.Seconds()/1e6))
	}
	took, err := reopen(dir)
	if err != nil {
		return err
	}
	row("open and close again", fmt.Sprintf("%.0f ms", took.Seconds()*1e3))
	if err := os.RemoveAll(filepath.Join(dir, "tree")); err != nil {
		return err
	}
	if took, err = reopen(dir); err != nil {
		return err
	}
	row("open when the tree is gone", fmt.Sprintf("%.2f s for a million lines", took.Seconds()/float64(n)*1e6))
	return proofRow(dir, n)
}

// hashRate is how many lines a second a core could verify if hashing were all:
// each takes a leaf hash, and one of an inner node.
func hashRate() float64 {
	const n = 200_000
	line, node := ready().AppendJSON([]byte{0}), make([]byte, 65)
	start := time.Now()
	for range n {
		h := sha256.Sum256(line)
		copy(node, h[:])
		sha256.Sum256(node)
	}
	return n / time.Since(start).Seconds()
}

func verifyTime(dir string, workers int) (time.Duration, error) {
	key, err := logKey()
	if err != nil {
		return 0, err
	}
	start := time.Now()
	r, err := seal.Verify(context.Background(), dir, &seal.VerifyOptions{Keys: []string{key.VKey()}, Workers: workers})
	if err == nil && !r.OK {
		err = fmt.Errorf("the trail does not verify: %+v", r.Findings)
	}
	return time.Since(start), err
}

func reopen(dir string) (time.Duration, error) {
	start := time.Now()
	t, _, err := sealed(dir)
	if err != nil {
		return 0, err
	}
	err = t.Close(context.Background())
	return time.Since(start), err
}

func proofRow(dir string, n int) error {
	start := time.Now()
	p, err := seal.Prove(dir, uint64(n/2))
	if err != nil {
		return err
	}
	took := time.Since(start)
	row("proof of one line", fmt.Sprintf("%d hashes, %d bytes, %.0f µs", len(p.Hashes), len(p.String()), float64(took)/1e3))
	return nil
}
