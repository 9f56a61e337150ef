package trail

import (
	"context"
	"path/filepath"
	"testing"
)

// BenchmarkWrite writes batches of 256 events of about 350 bytes.
func BenchmarkWrite(b *testing.B) {
	tr, err := Open(filepath.Join(b.TempDir(), "a"), &Options{KeepBytes: 1 << 30})
	if err != nil {
		b.Fatal(err)
	}
	defer tr.Close(context.Background())
	lines := wide(256)
	b.SetBytes(int64(len(lines.Bytes)))
	b.ReportAllocs()
	for b.Loop() {
		if err := tr.Write(context.Background(), lines); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRead reads a trail of 64 MiB from the page cache.
func BenchmarkRead(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "a")
	tr, err := Open(dir, nil)
	if err != nil {
		b.Fatal(err)
	}
	lines := wide(1024)
	for size := 0; size < 64<<20; size += len(lines.Bytes) {
		if err := tr.Write(context.Background(), lines); err != nil {
			b.Fatal(err)
		}
	}
	if err := tr.Close(context.Background()); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		size := int64(0)
		for line, err := range Read(dir, nil) {
			if err != nil {
				b.Fatal(err)
			}
			size += int64(len(line.Bytes)) + 1
		}
		b.SetBytes(size)
	}
}
