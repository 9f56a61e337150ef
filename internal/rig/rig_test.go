package rig

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Everything that the rig names can be run.
func TestParts(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for name, cmd := range map[string][]string{
		"inspector, filesystem":         inspect(t, Filesystem(t, t.TempDir())),
		"inspector, memory":             inspect(t, Memory(t)),
		"inspector, filesystem by npx":  inspect(t, NpxFilesystem(t, t.TempDir())),
		"typescript client, everything": append(TSClient(t, "everything"), Everything(t)...),
		"typescript client, server2":    append(TSClient(t, "outcomes"), Server2(t)...),
		"typescript client, go sdk":     append(TSClient(t, "outcomes"), GoSDKServer(t)...),
		"go client, mcp-go":             append(GoSDKClient(t), MCPGoServer(t)...),
	} {
		t.Run(name, func(t *testing.T) {
			run := exec.CommandContext(ctx, cmd[0], cmd[1:]...)
			run.Dir = Dir(t)
			run.Env = append(os.Environ(), "MEMORY_FILE_PATH="+filepath.Join(t.TempDir(), "memory.jsonl"))
			var stderr bytes.Buffer
			run.Stderr = &stderr
			out, err := run.Output()
			if err != nil || !strings.Contains(string(out), "tools") {
				t.Errorf("%v\n%s\n%s", err, out, stderr.Bytes())
			}
		})
	}
}

func inspect(t *testing.T, server []string) []string {
	cmd := append(Inspector(t), server...)
	return append(cmd, "--method", "tools/list")
}

// The lock file names packages and their digests, not where to get them.
func TestLockFileNamesNoRegistry(t *testing.T) {
	lock, err := sources.ReadFile("npm/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(lock, []byte(`"resolved"`)) {
		t.Error("package-lock.json holds addresses; use omit-lockfile-registry-resolved")
	}
	if !bytes.Contains(lock, []byte(`"integrity": "sha512-`)) {
		t.Error("package-lock.json holds no digests")
	}
}
