//go:build unix

package interop

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/tooltrail/tooltrail/seal"
)

// A litewitness is torchwood's witness, running. It has its key from an
// ssh-agent, and the logs it knows from a database that witnessctl fills.
type litewitness struct {
	url  string
	vkey string
}

const witnessName = "witness.example/w1"

// startWitness builds and starts a litewitness that knows one log.
func startWitness(t *testing.T, origin, logKey string) *litewitness {
	t.Helper()
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", dir+"/",
		"filippo.io/torchwood/cmd/litewitness", "filippo.io/torchwood/cmd/witnessctl")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	run(t, build)
	db := filepath.Join(dir, "witness.db")
	run(t, exec.Command(filepath.Join(dir, "witnessctl"), "add-log", "-db", db, "-origin", origin))
	run(t, exec.Command(filepath.Join(dir, "witnessctl"), "add-key", "-db", db, "-origin", origin, "-key", logKey))

	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sock := startAgent(t, priv)
	sshKey, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	w := &litewitness{vkey: seal.CosignatureVKey(witnessName, pub)}
	for range 5 { // the port may be taken between looking for it and using it
		addr := freeAddr(t)
		cmd := exec.Command(filepath.Join(dir, "litewitness"), "-name", witnessName, "-db", db,
			"-ssh-agent", sock, "-key", ssh.FingerprintSHA256(sshKey), "-listen", addr)
		if startProcess(t, cmd, "http://"+addr+"/") {
			w.url = "http://" + addr
			return w
		}
	}
	t.Fatal("litewitness did not come up")
	return nil
}

func run(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
}

// startProcess starts cmd and waits until it answers at url. It reports false
// if it ended before. The process is stopped when the test is over.
func startProcess(t *testing.T, cmd *exec.Cmd, url string) bool {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 1000 {
		select {
		case err := <-ended:
			t.Logf("%v: %v\n%s", cmd, err, out.Bytes())
			return false
		case <-tick.C:
		}
		resp, err := http.Get(url)
		if err != nil {
			continue
		}
		resp.Body.Close()
		t.Cleanup(func() { stopProcess(t, cmd, ended, &out) })
		return true
	}
	_ = cmd.Process.Kill()
	t.Fatalf("%v: no answer: %v\n%s", cmd, <-ended, out.Bytes())
	return false
}

// stopProcess interrupts a process and wants it to end well.
func stopProcess(t *testing.T, cmd *exec.Cmd, ended <-chan error, out *bytes.Buffer) {
	http.DefaultClient.CloseIdleConnections()
	_ = cmd.Process.Signal(os.Interrupt)
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("%v: %v", cmd, err)
		}
	case <-time.After(20 * time.Second):
		_ = cmd.Process.Kill()
		t.Errorf("%v: did not stop: %v", cmd, <-ended)
	}
	if t.Failed() {
		t.Logf("%s", out.Bytes())
	}
}

// startAgent serves the ssh-agent protocol, with one key, on a Unix socket.
func startAgent(t *testing.T, key ed25519.PrivateKey) (path string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "agent") // t.TempDir is too long for a socket on some systems
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path = filepath.Join(dir, "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	keys := agent.NewKeyring()
	if err := keys.Add(agent.AddedKey{PrivateKey: key}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // closed
			}
			wg.Go(func() {
				defer conn.Close()
				if err := agent.ServeAgent(keys, conn); err != nil && !errors.Is(err, io.EOF) {
					t.Errorf("ssh-agent: %v", err)
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait() // the witness, stopped before, has hung up
	})
	return path
}

// freeAddr returns an address on loopback that nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
