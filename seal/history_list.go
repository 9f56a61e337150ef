package seal

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path/filepath"

	"github.com/tooltrail/tooltrail/internal/durable"
)

// History returns the checkpoints that the trail at dir keeps, oldest first,
// as they stand in the file: nothing is verified. A last line that is not
// whole is left out. A trail without a history has none. After an error the
// iteration is over.
func History(dir string) iter.Seq2[HistoryEntry, error] {
	return func(yield func(HistoryEntry, error) bool) {
		f, err := durable.OpenRead(filepath.Join(dir, historyName))
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		if err != nil {
			yield(HistoryEntry{}, fmt.Errorf("seal: read history: %w", err))
			return
		}
		defer f.Close()
		r := bufio.NewReader(f)
		for n := 1; ; n++ {
			line, err := r.ReadBytes('\n')
			if err == io.EOF {
				return
			}
			var e HistoryEntry
			if err == nil {
				err = json.Unmarshal(line, &e)
			}
			if err != nil {
				yield(HistoryEntry{}, fmt.Errorf("seal: %s: line %d: %w", f.Name(), n, err))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}
