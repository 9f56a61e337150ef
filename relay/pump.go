package relay

import (
	"errors"
	"io"
)

// PumpOptions set up [Pump].
type PumpOptions struct {
	// ObserveFirst shows a piece to the observer before it is written.
	ObserveFirst bool
	// Arrived is called when a piece has been read; nil means nothing is.
	Arrived func()
	// Buffer is the memory to read into; nil means 128 KiB of its own.
	Buffer []byte
}

// bufferSize is what a pipe or socket pair delivers in one read at most.
const bufferSize = 128 << 10

// Pump copies src to dst until src ends, and shows each piece to observe,
// which must not keep it. Every piece is written as soon as it is read, whole
// frame or not, in one write. A nil PumpOptions is valid.
//
// Pump returns nil at the end of src, else the first error of a read or write.
// It does not close anything. Files should be in blocking mode: a mix of
// polled pipes with blocking ones costs 10 ms on messages from 64 KiB.
func Pump(dst io.Writer, src io.Reader, observe func(piece []byte), o *PumpOptions) error {
	if o == nil {
		o = &PumpOptions{}
	}
	p := pump{dst: dst, observe: observe, first: o.ObserveFirst}
	buf := o.Buffer
	if len(buf) == 0 {
		buf = make([]byte, bufferSize)
	}
	for {
		n, err := src.Read(buf)
		if n > 0 {
			if o.Arrived != nil {
				o.Arrived()
			}
			if err := p.pass(buf[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

type pump struct {
	dst     io.Writer
	observe func([]byte)
	first   bool
}

func (p *pump) pass(piece []byte) error {
	if p.first {
		p.observe(piece)
	}
	n, err := p.dst.Write(piece)
	if err == nil && n < len(piece) {
		err = io.ErrShortWrite
	}
	if !p.first {
		p.observe(piece)
	}
	return err
}
