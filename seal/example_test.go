package seal_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/trail"
)

func Example() {
	home, err := os.MkdirTemp("", "example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(home)
	dir := filepath.Join(home, "calls")
	key, err := seal.NewKey("example.com")
	if err != nil {
		log.Fatal(err)
	}
	t, err := trail.Open(dir, &trail.Options{Sealer: seal.New(&seal.Options{Keys: []*seal.Key{key}})})
	if err != nil {
		log.Fatal(err)
	}
	if err := t.Close(context.Background()); err != nil {
		log.Fatal(err)
	}
	report, err := seal.Verify(context.Background(), dir, &seal.VerifyOptions{Keys: []string{key.VKey()}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.OK, report.Origin, report.Sealed, "lines")
	// Output: true example.com/calls 3 lines
}
