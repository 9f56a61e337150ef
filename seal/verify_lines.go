package seal

import (
	"bytes"
	"encoding/json"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tooltrail/tooltrail/trail"
)

// allLines returns the leaf hashes of all whole lines of a segment's file, and
// where each begins; the last offset is where they end. Stubs count as what
// they name.
func allLines(seg trail.Segment) (leaves []tlog.Hash, offsets []int64, err error) {
	b, err := readWhole(seg.Path)
	if err != nil {
		return nil, nil, err
	}
	offsets = append(offsets, 0)
	for off := int64(0); ; {
		line, rest, whole := bytes.Cut(b, newline)
		if !whole {
			return leaves, offsets, nil
		}
		leaf, ok := stubLeaf(line)
		if !ok {
			leaf = LeafHash(line)
		}
		b = rest
		off += int64(len(line)) + 1
		leaves, offsets = append(leaves, leaf), append(offsets, off)
	}
}

// offsetOf returns where the line at an index begins in its segment.
func offsetOf(seg trail.Segment, index uint64) int64 {
	_, offsets, err := allLines(seg)
	if err != nil || index < seg.First || index-seg.First >= uint64(len(offsets)) {
		return 0
	}
	return offsets[index-seg.First]
}

func unmarshal(line []byte, to any) bool { return json.Unmarshal(line, to) == nil }
