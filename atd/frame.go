package atd

import (
	"encoding/binary"
	"fmt"
	"io"
)

// MaxFrame is how many bytes of JSON a frame may have: 10 MiB.
const MaxFrame = 10 << 20

// firstRead is how much is reserved before a byte of a frame has come: its
// length is only what the peer says.
const firstRead = 16 << 10

// A FrameError says that a frame is longer than MaxFrame.
type FrameError struct{ Length uint32 }

// Error names both lengths.
func (e *FrameError) Error() string {
	return fmt.Sprintf("the frame has %d bytes, more than %d", e.Length, MaxFrame)
}

// ReadFrame reads a frame and returns its JSON, in buf if it has room. Before a
// frame the end is io.EOF, within one io.ErrUnexpectedEOF; where a frame is cut
// short by any error, what came of it is returned, at least its length.
func ReadFrame(r io.Reader, buf []byte) ([]byte, error) {
	var head [4]byte
	if n, err := io.ReadFull(r, head[:]); err != nil {
		return head[:n], err
	}
	length := binary.BigEndian.Uint32(head[:])
	if length > MaxFrame {
		return head[:], &FrameError{length}
	}
	if cap(buf) < min(int(length), firstRead) {
		buf = make([]byte, min(int(length), firstRead))
	}
	read := 0
	for {
		buf = buf[:min(int(length), cap(buf))]
		n, err := io.ReadFull(r, buf[read:])
		read += n
		switch {
		case err == io.EOF && int(length) > read, err == io.ErrUnexpectedEOF:
			return head[:], io.ErrUnexpectedEOF
		case err != nil && err != io.EOF:
			return head[:], err
		case read == int(length):
			return buf, nil
		}
		buf = append(make([]byte, 0, min(2*cap(buf), int(length))), buf...)
	}
}

// AppendFrame appends a frame of a body.
func AppendFrame(dst, body []byte) ([]byte, error) {
	if len(body) > MaxFrame {
		return dst, &FrameError{uint32(min(len(body), 1<<32-1))}
	}
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(body))), body...), nil
}
