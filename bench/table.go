package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// heading begins a table in Markdown.
func heading(title string, columns ...string) {
	fmt.Printf("\n%s\n\n", title)
	row(columns...)
	fmt.Println("|" + strings.Repeat(" --- |", len(columns)))
}

func row(cells ...string) { fmt.Println("| " + strings.Join(cells, " | ") + " |") }

func nanos(times []time.Duration, q float64) string {
	return fmt.Sprint(quantile(times, q).Nanoseconds())
}

func micros(times []time.Duration, q float64) string {
	return fmt.Sprintf("%.0f", float64(quantile(times, q))/1e3)
}

func quantile(times []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[int(q*float64(len(sorted)-1))]
}

// withFile runs work with a file of its own, which is removed afterwards.
func withFile(c *config, work func(f *os.File) error) error {
	f, err := os.OpenFile(filepath.Join(c.dir, "bench.jsonl"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	err = work(f)
	f.Close()
	os.Remove(f.Name())
	return err
}
