package transport

import (
	"bytes"
	"compress/gzip"
	"sync"
)

// worthPacking: an answer that fits into one network packet gains nothing.
const worthPacking = 1400

// packer is a pooled gzip writer with the buffer that it writes to.
type packer struct {
	buffer bytes.Buffer
	writer *gzip.Writer
}

var packers = sync.Pool{New: func() any {
	p := new(packer)
	p.writer, _ = gzip.NewWriterLevel(&p.buffer, gzip.BestSpeed) // the level is valid
	return p
}}

// pack compresses body; the caller releases the result.
func pack(body []byte) *packer {
	p := packers.Get().(*packer)
	p.buffer.Reset()
	p.writer.Reset(&p.buffer)
	_, _ = p.writer.Write(body) // a buffer does not fail
	_ = p.writer.Close()
	return p
}

func (p *packer) release() {
	if p.buffer.Cap() <= 16*keepBuffer {
		packers.Put(p)
	}
}
