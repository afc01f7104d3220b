// Package tree holds the merged data of one request: the objects that the
// subgraphs' replies are decoded into, completed by later replies, and read
// from by the projection.
//
// Nothing in it points anywhere: a value is twelve bytes, objects and lists
// are runs of values in the segment of the fetch that brought them, strings
// and numbers are spans of that fetch's reply. Start reading at Value, then
// Position (what is where), Shape (what one fetch brings) and Decode.
package tree

import "sync"

// Kind says what a Value is.
type Kind uint8

// The kinds. The zero Value is Missing: nobody brought it yet.
const (
	Missing Kind = iota
	Null
	True
	False
	Number // span of the reply
	String // span of the reply, with its quotes, escapes as they came
	Raw    // span of an object or array that nothing looks into: lists of leaves, custom scalars
	Object // A: index of the header, which the slots follow
	List   // A: index of the first element, B: how many
	header // slot 0 of an object; A: type, B: mark of the last visit
)

// Explained marks a null for which an error is reported already; on an object or a
// list, that what one subgraph should have brought below is missing for such a reason.
const Explained uint8 = 1

// Value is one node. Src names the segment that A and B speak of; for spans
// they are the first byte and the one after the last.
type Value struct {
	Kind  Kind
	Flags uint8
	Src   uint16
	A, B  uint32
}

// Segment is what one fetch brought: its reply and the values decoded from it.
type Segment struct {
	Bytes  []byte
	Values []Value
	stack  []Value // elements of the lists that are open while decoding
}

// Tree is the data of one request: one segment for each fetch, and one more
// for the root object. Segments are filled independently of each other;
// everything that crosses them is for one goroutine at a time.
type Tree struct {
	Segments []Segment
	Root     Value
}

// keep is the number of values above which a segment is not pooled: a large
// answer must not hold its memory for ever.
const keep = 1 << 16

var pool = sync.Pool{New: func() any { return new(Tree) }}

// New returns a tree for so many fetches, with an empty root object at root.
func New(fetches int, root *Position) *Tree {
	t := pool.Get().(*Tree)
	n := fetches + 1
	if cap(t.Segments) < n {
		segments := make([]Segment, n)
		copy(segments, t.Segments[:cap(t.Segments)])
		t.Segments = segments
	}
	t.Segments = t.Segments[:n]
	t.Root = t.Segments[fetches].object(uint16(fetches), root)
	return t
}

// Release gives the tree's memory back.
func (t *Tree) Release() {
	for i := range t.Segments {
		s := &t.Segments[i]
		s.Bytes = nil
		if cap(s.Values) > keep {
			s.Values, s.stack = nil, nil
		}
		s.Values = s.Values[:0]
	}
	pool.Put(t)
}

// Reset empties the segments from fetch on and the root object, for the next event of a subscription.
func (t *Tree) Reset(root *Position) {
	for i := range t.Segments {
		t.Segments[i].Bytes = nil
		t.Segments[i].Values = t.Segments[i].Values[:0]
	}
	last := len(t.Segments) - 1
	t.Root = t.Segments[last].object(uint16(last), root)
}

// object appends an empty object.
func (s *Segment) object(src uint16, p *Position) Value {
	at := s.grow(p.size)
	s.Values[at] = Value{Kind: header, A: uint32(p.Type)}
	return Value{Kind: Object, Src: src, A: uint32(at)}
}

// grow appends n zero values and returns the index of the first.
func (s *Segment) grow(n int) int {
	at := len(s.Values)
	if at+n <= cap(s.Values) {
		s.Values = s.Values[:at+n]
		clear(s.Values[at:])
		return at
	}
	for range n {
		s.Values = append(s.Values, Value{})
	}
	return at
}

// Slot is the value in a slot of an object.
func (t *Tree) Slot(object Value, slot int) Value {
	return t.Segments[object.Src].Values[int(object.A)+slot]
}

// Size is the number of bytes of all replies.
func (t *Tree) Size() int {
	n := 0
	for i := range t.Segments {
		n += len(t.Segments[i].Bytes)
	}
	return n
}

// Slots are the values of an object by their slot; what stands at 0 is not a value.
func (t *Tree) Slots(object Value) []Value {
	return t.Segments[object.Src].Values[object.A:]
}

// Set puts a value into a slot of an object.
func (t *Tree) Set(object Value, slot int, v Value) {
	t.Segments[object.Src].Values[int(object.A)+slot] = v
}

// Elements are the values of a list.
func (t *Tree) Elements(list Value) []Value {
	return t.Segments[list.Src].Values[list.A : list.A+list.B]
}

// Bytes are the bytes of a span.
func (t *Tree) Bytes(v Value) []byte {
	return t.Segments[v.Src].Bytes[v.A:v.B]
}

// Type is the runtime type of an object; None when nobody told it.
func (t *Tree) Type(object Value) TypeID {
	return TypeID(t.Segments[object.Src].Values[object.A].A)
}

// noted marks what a header's B holds as a note of the projection and not a visit.
const noted = 1 << 31

// Note leaves a number, less than 2³¹, with an object once all walks are done.
func (t *Tree) Note(object Value, n uint32) {
	t.Segments[object.Src].Values[object.A].B = n | noted
}

// Noted is the number that Note left with an object.
func (t *Tree) Noted(object Value) (uint32, bool) {
	b := t.Segments[object.Src].Values[object.A].B
	return b &^ noted, b&noted != 0
}

// Visit marks an object and reports whether it did not bear that mark yet. Objects are
// shared by the places where an entity stands, so a walk that meets one again has been below.
func (t *Tree) Visit(object Value, mark uint32) bool {
	head := &t.Segments[object.Src].Values[object.A]
	if head.B == mark {
		return false
	}
	head.B = mark
	return true
}

// Each calls yield with each element of a list that was kept as it came, a Raw value, until it returns false.
func (t *Tree) Each(raw Value, yield func(Value) bool) {
	b := t.Segments[raw.Src].Bytes
	i := space(b, int(raw.A)+1)
	for i < int(raw.B) && b[i] != ']' {
		kind, end := leaf(b, i, 0)
		if !yield(Value{Kind: kind, Flags: raw.Flags, Src: raw.Src, A: uint32(i), B: uint32(end)}) {
			return
		}
		if i = space(b, end); b[i] == ',' {
			i = space(b, i+1)
		}
	}
}
