package config

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/trail"
)

func TestRecorderRecords(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	r, err := OpenRecorder(home, "files", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Queue.OnCall(&audit.CallEvent{CallID: audit.NewCallID(), ToolID: "x", Outcome: audit.Success()})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := r.Close(ctx); err != nil {
		t.Fatal(err)
	}
	events := 0
	for line, err := range trail.Read(home, nil) {
		if err != nil {
			t.Fatal(err)
		}
		if line.Kind() == trail.Event {
			events++
		}
	}
	if events != 1 {
		t.Errorf("the trail holds %d events", events)
	}
}

func TestOneMACKeyForAll(t *testing.T) {
	home := t.TempDir()
	keys := make([][]byte, 20)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			key, err := macKey(home)
			if err != nil {
				t.Error(err)
			}
			keys[i] = key
		})
	}
	wg.Wait()
	for _, key := range keys {
		if len(key) != macKeyBytes || !bytes.Equal(key, keys[0]) {
			t.Fatalf("keys differ: %x, %x", keys[0], key)
		}
	}
	entries, err := os.ReadDir(filepath.Join(home, "keys"))
	if err != nil || len(entries) != 1 {
		t.Errorf("beside the key stand %v (%v)", entries, err)
	}
	if info, err := os.Stat(filepath.Join(home, "keys", "mac.key")); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("mode %v (%v)", info.Mode(), err)
	}
}

func TestBadMACKeyIsRefused(t *testing.T) {
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, "keys"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "keys", "mac.key"), []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenRecorder(home, "files", nil); err == nil {
		t.Error("a torn key was accepted")
	}
}
