package main

import (
	"os"
	"testing"
)

// Every contender records one event for each op, in a file.
func BenchmarkContenders(b *testing.B) {
	for _, who := range contenders {
		b.Run(who.name, func(b *testing.B) {
			c := &config{dir: b.TempDir()}
			err := withFile(c, func(f *os.File) error {
				r := who.open(f)
				ev := ready()
				b.ReportAllocs()
				for b.Loop() {
					r.emit(ev)
				}
				return r.close()
			})
			if err != nil {
				b.Fatal(err)
			}
		})
	}
}

// The tables must be printable, whatever their numbers.
func TestTables(t *testing.T) {
	for _, name := range []string{"burst", "durable"} {
		if err := run(&config{scale: 0.001, dir: t.TempDir()}, []string{name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
