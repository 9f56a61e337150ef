package trail

import (
	"bytes"
	"io"

	"github.com/tooltrail/tooltrail/internal/durable"
)

// seqAtEnd returns the last number that a segment uses up, by its last lines
// alone, or 0 where they do not tell: the file goes on behind what belongs to
// the trail, or holds less. Counting its lines is ten times as fast as looking
// at each.
func seqAtEnd(seg Segment) uint64 {
	if seg.Next == 0 {
		return 0
	}
	f, err := durable.OpenRead(seg.Path)
	if err != nil {
		return 0
	}
	defer f.Close()
	buf := make([]byte, scanBuffer)
	lines, tail := uint64(0), 0
	for off := int64(0); ; {
		n, err := f.ReadAt(buf, off)
		lines += uint64(bytes.Count(buf[:n], newline))
		off += int64(n)
		if n > 0 {
			tail = n
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0
		}
	}
	whole := buf[:bytes.LastIndexByte(buf[:tail], '\n')+1]
	if lines != seg.Next-seg.First || len(whole) == 0 {
		return 0
	}
	first := bytes.IndexByte(whole, '\n') + 1 // what stands before may be a part of a line
	return lastSeq(whole[first:], 0)
}
