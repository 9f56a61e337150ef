package record

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tooltrail/tooltrail/internal/rig"
)

// TestMain is the recorder too, where clients start it in place of a server:
// the first argument is then "tee", the second the transcript.
func TestMain(m *testing.M) {
	if len(os.Args) > 3 && os.Args[1] == "tee" {
		if err := teeTo(os.Args[2], os.Args[3:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func teeTo(file string, server []string) error {
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer out.Close()
	return Tee(out, server)
}

// tsClient returns the command of testdata/client.mjs, next to a link to the
// packages that the rig has installed, where node looks for them.
func tsClient(t *testing.T) []string {
	t.Helper()
	node := rig.TSClient(t, "")[0]
	dir := t.TempDir()
	text, err := os.ReadFile("testdata/client.mjs")
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir, "client.mjs")
	if err := os.WriteFile(script, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(rig.Dir(t), "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return []string{node, script}
}

// goPeer builds testdata/gopeer with the module of the rig's Go servers, which
// has the SDK.
func goPeer(t *testing.T) string {
	t.Helper()
	rig.GoSDKServer(t) // skips where there is no rig
	bin := filepath.Join(t.TempDir(), "gopeer")
	source, err := filepath.Abs("testdata/gopeer/main.go")
	if err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", bin, source)
	build.Dir = "../goservers"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build gopeer: %v\n%s", err, out)
	}
	return bin
}
