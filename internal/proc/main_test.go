//go:build unix

package proc

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test binary plays every part: relay, server, and the server's children.
// PROC_ROLE names the part; PROC_MARK marks all that belongs to one test;
// PROC_DIR is where each process leaves a file named by its pid once it runs.
func TestMain(m *testing.M) {
	Main()
	switch os.Getenv("PROC_ROLE") {
	case "":
		os.Exit(m.Run())
	case "relay":
		os.Unsetenv("PROC_ROLE")
		playRelay(os.Args[1:])
	case "server":
		playServer(os.Args[1:])
	}
}

// playRelay is what package relay and the command line do, without a look at
// the bytes.
func playRelay(args []string) {
	grace, _ := time.ParseDuration(os.Getenv("PROC_GRACE"))
	child, err := Start(&Options{Args: args, Dedicated: true, Grace: grace})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(127)
	}
	go func() {
		io.Copy(struct{ io.Writer }{child.Stdin()}, struct{ io.Reader }{os.Stdin})
		os.Stdin.Close()
		child.Hangup()
	}()
	io.Copy(struct{ io.Writer }{os.Stdout}, struct{ io.Reader }{child.Stdout()})
	child.Stdout().Close()
	os.Stdout.Close()
	child.Wait().Exit()
}

// playServer behaves as its flags say.
func playServer(args []string) {
	f := flag.NewFlagSet("server", flag.ExitOnError)
	stubborn := f.Bool("stubborn", false, "ignore the end of input and every signal that can be ignored")
	setsid := f.Bool("setsid", false, "move to a session of its own")
	child := f.String("child", "", "start a server with these flags (separated by spaces, / inside is a space one level down)")
	leave := f.Bool("leave", false, "exit as soon as the child runs")
	closeOut := f.Bool("closeout", false, "close standard output, live on")
	closeIn := f.Bool("closein", false, "close standard input, live on")
	exit := f.Int("exit", 0, "exit with this code at the end of input")
	die := f.Int("die", 0, "die of this signal at once")
	report := f.Bool("report", false, "write the names of signals to standard output")
	f.Parse(args)
	if *stubborn {
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT)
	}
	if *report {
		ch := make(chan os.Signal, 8)
		signal.Notify(ch, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH, syscall.SIGCONT)
		go func() {
			for s := range ch {
				fmt.Println(s.(syscall.Signal).String())
			}
		}()
	}
	if *setsid {
		syscall.Setsid()
	}
	if *child != "" {
		next := strings.Fields(*child)
		for i := range next {
			next[i] = strings.ReplaceAll(strings.ReplaceAll(next[i], "/", " "), "|", "/")
		}
		cmd := exec.Command(os.Args[0], next...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		if err := cmd.Start(); err != nil {
			panic(err)
		}
		go cmd.Wait()
		waitFile(filepath.Join(os.Getenv("PROC_DIR"), fmt.Sprint(cmd.Process.Pid)))
	}
	if *closeOut {
		os.Stdout.Close()
	}
	if *closeIn {
		os.Stdin.Close()
	}
	os.WriteFile(filepath.Join(os.Getenv("PROC_DIR"), fmt.Sprint(os.Getpid())), nil, 0o600)
	switch {
	case *leave:
		os.Exit(*exit)
	case *die != 0:
		ExitStatus{Signal: syscall.Signal(*die)}.Exit()
	case *stubborn || *closeIn:
		time.Sleep(time.Minute)
	}
	if *closeOut {
		io.Copy(io.Discard, os.Stdin)
	}
	io.Copy(os.Stdout, os.Stdin)
	os.Exit(*exit)
}

// waitFile waits until a file exists.
func waitFile(path string) bool {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if _, err := os.Stat(path); err == nil {
			return true
		}
	}
	return false
}
