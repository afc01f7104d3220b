package dispatch

import "sync"

// buffer holds a reply's bytes and the reply itself.
type buffer struct {
	b     []byte
	reply Reply
	free  func(*Reply)
}

// sizes are the capacities that are pooled. Each has a pool of its own, so that the many small replies
// do not end up in the few large buffers; what is larger still is left to the collector.
var sizes = [...]int{4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20}

var buffers [len(sizes)]sync.Pool

// take returns an empty buffer for at least size bytes.
func take(size int) *buffer {
	for i, pooled := range sizes {
		if size <= pooled {
			if b, _ := buffers[i].Get().(*buffer); b != nil {
				b.b = b.b[:0]
				return b
			}
			return newBuffer(pooled)
		}
	}
	return newBuffer(size)
}

func newBuffer(size int) *buffer {
	b := &buffer{b: make([]byte, 0, size)}
	b.free = func(*Reply) { b.put() }
	return b
}

func (b *buffer) put() {
	for i, pooled := range sizes {
		if cap(b.b) == pooled {
			buffers[i].Put(b)
			return
		}
	}
}
