package trail

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"time"

	"github.com/tooltrail/tooltrail/internal/durable"
)

// A point is a place in a segment: how many bytes and lines lie before it, and
// the last sequence number that they used up.
type point struct {
	off   int64
	lines uint64
	seq   uint64
}

// A chunk is a run of bytes that was written and is not known to be durable.
// It begins where the chunk before it ends.
type chunk struct {
	end    point
	crc    uint32
	kept   []byte // a copy; nil when there was too much to keep
	sealed bool   // grows no more: a sync covers it
}

const (
	// chunkBytes is the size from which on a chunk grows no more.
	chunkBytes = 256 << 10
	// keepBytes bounds the copies of a segment's unsynced bytes. What is over
	// is read back from the file when it has to be written anew.
	keepBytes = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A segfile is a segment that this process writes. Its fields are guarded by
// the trail's mu.
type segfile struct {
	file    durable.File
	path    string
	first   uint64
	made    time.Time
	id      fs.FileInfo // device and inode
	begin   point       // only seq is used: the last one before this segment
	durable point
	end     point
	chunks  []chunk // from durable to end
	kept    int     // bytes in chunks' copies
	bad     error   // why nothing may be written to it any more
	closed  bool
}

func newSegfile(f durable.File, path string, first, seq uint64, made time.Time) (*segfile, error) {
	id, err := f.Stat()
	if err != nil {
		return nil, err
	}
	begin := point{seq: seq}
	return &segfile{file: f, path: path, first: first, made: made, id: id, begin: begin, durable: begin, end: begin}, nil
}

// next is the index behind the segment's last line.
func (s *segfile) next() uint64 { return s.first + s.end.lines }

// grow takes account of lines that were written.
func (s *segfile) grow(b []byte, lines int) {
	if lines == 0 {
		return
	}
	s.end = point{s.end.off + int64(len(b)), s.end.lines + uint64(lines), max(s.end.seq, lastSeq(b, s.end.seq))}
	n := len(s.chunks)
	if n == 0 || s.chunks[n-1].sealed || s.size(n-1) >= chunkBytes {
		s.chunks = append(s.chunks, chunk{kept: []byte{}})
		n++
	}
	c := &s.chunks[n-1]
	c.end = s.end
	c.crc = crc32.Update(c.crc, castagnoli, b)
	if c.kept == nil {
		return
	}
	if s.kept+len(b) <= keepBytes {
		c.kept = append(c.kept, b...)
		s.kept += len(b)
	} else {
		s.kept -= len(c.kept)
		c.kept = nil
	}
}

// start returns where chunk i begins.
func (s *segfile) start(i int) point {
	if i == 0 {
		return s.durable
	}
	return s.chunks[i-1].end
}

func (s *segfile) size(i int) int64 { return s.chunks[i].end.off - s.start(i).off }

// seal returns where the segment ends now; a sync that begins now makes
// everything up to there durable.
func (s *segfile) seal() point {
	if n := len(s.chunks); n > 0 {
		s.chunks[n-1].sealed = true
	}
	return s.end
}

// settle takes account of a successful sync up to p.
func (s *segfile) settle(p point) {
	n := 0
	for n < len(s.chunks) && s.chunks[n].end.off <= p.off {
		s.kept -= len(s.chunks[n].kept)
		n++
	}
	s.chunks = append(s.chunks[:0], s.chunks[n:]...)
	if p.off > s.durable.off {
		s.durable = p
	}
}

// recall returns the bytes of chunk i: the copy, or what the file holds if it
// still is what was written.
func (s *segfile) recall(i int) ([]byte, error) {
	c := &s.chunks[i]
	if c.kept != nil {
		return c.kept, nil
	}
	b := make([]byte, s.size(i))
	if _, err := s.file.ReadAt(b, s.start(i).off); err != nil {
		return nil, err
	}
	if crc32.Checksum(b, castagnoli) != c.crc {
		return nil, errors.New("the file does not hold what was written")
	}
	return b, nil
}

// write appends whole lines with one write. It returns how many were accepted;
// the file ends in a whole line unless bad is set.
func (s *segfile) write(b []byte, lines int) (accepted int, err error) {
	n, err := s.file.Write(b)
	if err == nil && n == len(b) {
		s.grow(b, lines)
		return lines, nil
	}
	if err == nil {
		err = fmt.Errorf("short write: %d of %d bytes", n, len(b))
	}
	whole := b[:bytes.LastIndexByte(b[:max(0, min(n, len(b)))], '\n')+1]
	accepted = bytes.Count(whole, newline)
	s.grow(whole, accepted)
	if !isFull(err) {
		s.bad = err
	}
	if terr := s.cut(); terr != nil {
		s.bad = fmt.Errorf("%w; cut back to the last line: %w", err, terr)
	}
	return accepted, err
}

// cut removes what stands behind the last whole line.
func (s *segfile) cut() error {
	info, err := s.file.Stat()
	if err != nil || info.Size() <= s.end.off {
		return err
	}
	return s.file.Truncate(s.end.off)
}

var newline = []byte{'\n'}

// retire makes the file read-only and closes it. An error is of no use: the
// bytes are safe already, or not to be trusted anyway.
func (s *segfile) retire() {
	if !s.closed {
		s.closed = true
		_ = s.file.Chmod(closedMode)
		_ = s.file.Close()
	}
}

// closedMode is the mode of a segment that is complete and durable.
const closedMode = 0o400
