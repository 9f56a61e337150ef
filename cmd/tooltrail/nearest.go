package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// maxDistance is how many letters a word may differ in to be suggested.
const maxDistance = 2

// nearestFlag returns the flag of cmd whose name is nearest to name, or "".
func nearestFlag(cmd *cobra.Command, name string) string {
	var names []string
	add := func(f *pflag.Flag) { names = append(names, f.Name) }
	cmd.Flags().VisitAll(add)
	cmd.InheritedFlags().VisitAll(add)
	return nearest(name, names)
}

// nearest returns the one of names that word was probably meant to be, or "".
func nearest(word string, names []string) string {
	best, at := "", maxDistance+1
	for _, name := range names {
		d := distance(word, name)
		if strings.HasPrefix(name, word) && len(word) > 1 {
			d = min(d, 1)
		}
		if d < at && d < len(word) {
			best, at = name, d
		}
	}
	return best
}

// distance is the Levenshtein distance of two words, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := slices.Clone(row)
		next[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(row[j]+cost, row[j+1]+1, next[j]+1)
		}
		row = next
	}
	return row[len(b)]
}
