// Command bench measures this project and its peers in one run, since only
// ratios within a run mean anything on a shared machine, and prints the tables
// that the README quotes.
//
//	go -C bench run .            # everything, about three minutes
//	go -C bench run . sustained  # tables whose name contains the word
//	go -C bench run . -quick     # a tenth of the work, to see that it runs
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// A table is one measurement of several contenders.
type table struct {
	name string
	run  func(c *config) error
}

// A config says how much work to do.
type config struct {
	scale float64
	dir   string
}

func (c *config) times(n int) int { return max(int(float64(n)*c.scale), 1) }

var tables = []table{
	{"oncall", measureOnCall},
	{"sustained", measureSustained},
	{"burst", measureBurst},
	{"durable", measureDurable},
	{"stalled", measureStalled},
	{"sparse", measureSparse},
	{"seal", measureSeal},
	{"relay", measureRelay},
	{"atd", measureATD},
}

func main() {
	if role := os.Getenv(roleVariable); role != "" {
		os.Unsetenv(roleVariable)
		if err := play(role); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	quick := flag.Bool("quick", false, "a tenth of the work")
	dir := flag.String("dir", "", "folder for the files that are written (default: a temporary one)")
	flag.Parse()
	c := &config{scale: 1, dir: *dir}
	if *quick {
		c.scale = 0.1
	}
	if err := run(c, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(c *config, words []string) error {
	if c.dir == "" {
		dir, err := os.MkdirTemp("", "tooltrail-bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		c.dir = dir
	}
	fmt.Printf("%s/%s, %d CPUs, %s\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	for _, t := range tables {
		if !chosen(t.name, words) {
			continue
		}
		if err := t.run(c); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return nil
}

func chosen(name string, words []string) bool {
	for _, w := range words {
		if strings.Contains(name, w) {
			return true
		}
	}
	return len(words) == 0
}
