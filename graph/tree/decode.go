package tree

import (
	"encoding/json"
	"slices"
)

// Decoder reads one reply into the segment of its fetch.
type Decoder struct {
	segment *Segment
	src     uint16
	b       []byte
	depth   int // of lists, the only nesting that the shape does not bound
}

// Answer is what Decode found beside the values.
type Answer struct {
	// Data is the object that the shape describes, or Null.
	Data Value
	// Errors is the span of the errors entry; nil when there is none.
	Errors []byte
}

// Decoder returns a decoder into the segment of a fetch. Decoders of
// different fetches may run at the same time.
func (t *Tree) Decoder(fetch int) Decoder {
	return Decoder{segment: &t.Segments[fetch], src: uint16(fetch)}
}

// Body decodes a complete answer, {"data":…,"errors":…}.
func (d *Decoder) Body(body []byte, shape *Shape) (Answer, error) {
	d.b, d.segment.Bytes = body, body
	answer := Answer{Data: Value{Kind: Missing}}
	i := space(body, 0)
	if i >= len(body) || body[i] != '{' {
		return answer, ErrSyntax
	}
	i = space(body, i+1)
	if i < len(body) && body[i] == '}' {
		return answer, d.end(i + 1)
	}
	for {
		if i >= len(body) || body[i] != '"' {
			return answer, ErrSyntax
		}
		start := i
		if i = text(body, i); i < 0 {
			return answer, ErrSyntax
		}
		key := body[start:i]
		if i = space(body, i); i >= len(body) || body[i] != ':' {
			return answer, ErrSyntax
		}
		i = space(body, i+1)
		start = i
		switch {
		case string(key) == `"data"`:
			answer.Data, i = d.value(i, shape)
		case string(key) == `"errors"`:
			var kind Kind
			kind, i = leaf(body, i, 0)
			if i > 0 && kind == Raw {
				answer.Errors = body[start:i]
			}
		default:
			_, i = leaf(body, i, 0)
		}
		if i < 0 {
			return answer, ErrSyntax
		}
		if i = space(body, i); i >= len(body) {
			return answer, ErrSyntax
		}
		if body[i] == '}' {
			return answer, d.end(i + 1)
		}
		if body[i] != ',' {
			return answer, ErrSyntax
		}
		i = space(body, i+1)
	}
}

// Data decodes the value of data alone.
func (d *Decoder) Data(data []byte, shape *Shape) (Value, error) {
	d.b, d.segment.Bytes = data, data
	v, i := d.value(space(data, 0), shape)
	if i < 0 {
		return v, ErrSyntax
	}
	return v, d.end(i)
}

func (d *Decoder) end(i int) error {
	if space(d.b, i) != len(d.b) {
		return ErrSyntax
	}
	return nil
}

// value reads the value at i by a shape, nil for a leaf, and returns the position after it, or -1.
func (d *Decoder) value(i int, shape *Shape) (Value, int) {
	if shape != nil && i < len(d.b) {
		switch d.b[i] {
		case '{':
			return d.object(i, shape)
		case '[':
			return d.list(i, shape)
		}
	}
	kind, end := leaf(d.b, i, 0)
	return Value{Kind: kind, Src: d.src, A: uint32(i), B: uint32(end)}, end
}

func (d *Decoder) list(i int, shape *Shape) (Value, int) {
	if d.depth++; d.depth > maxDepth {
		return Value{}, -1
	}
	defer func() { d.depth-- }()
	b, base := d.b, len(d.segment.stack)
	i = space(b, i+1)
	if i < len(b) && b[i] == ']' {
		return Value{Kind: List, Src: d.src, A: uint32(len(d.segment.Values))}, i + 1
	}
	for {
		var v Value
		if v, i = d.value(i, shape); i < 0 {
			return v, -1
		}
		d.segment.stack = append(d.segment.stack, v)
		if i < len(b) && b[i] <= ' ' {
			i = space(b, i)
		}
		if i >= len(b) {
			return v, -1
		}
		if b[i] == ']' {
			break
		}
		if b[i] != ',' {
			return v, -1
		}
		if i++; i < len(b) && b[i] <= ' ' {
			i = space(b, i)
		}
	}
	at, n := len(d.segment.Values), len(d.segment.stack)-base
	d.segment.Values = append(d.segment.Values, d.segment.stack[base:]...)
	d.segment.stack = d.segment.stack[:base]
	return Value{Kind: List, Src: d.src, A: uint32(at), B: uint32(n)}, i + 1
}

func (d *Decoder) object(i int, shape *Shape) (Value, int) {
	b := d.b
	v := d.segment.object(d.src, shape.Position)
	at, next := int(v.A), 0
	if i++; i < len(b) && b[i] <= ' ' {
		i = space(b, i)
	}
	if i < len(b) && b[i] == '}' {
		return v, i + 1
	}
	for {
		if i >= len(b) || b[i] != '"' {
			return v, -1
		}
		// Servers answer in the order of the question, so the next field is nearly always the next of the shape.
		var field *Field
		if next < len(shape.Fields) {
			if key := shape.Fields[next].Key; len(b)-i > len(key) && string(b[i:i+len(key)]) == key {
				field = &shape.Fields[next]
				next++
				i += len(key)
			}
		}
		if field == nil {
			start := i
			if i = text(b, i); i < 0 {
				return v, -1
			}
			if n := shape.search(b[start:i], next); n >= 0 {
				field = &shape.Fields[n]
				next = n + 1
			}
		}
		if i < len(b) && b[i] <= ' ' {
			i = space(b, i)
		}
		if i >= len(b) || b[i] != ':' {
			return v, -1
		}
		if i++; i < len(b) && b[i] <= ' ' {
			i = space(b, i)
		}
		switch {
		case field == nil:
			_, i = leaf(b, i, 0)
		case field.Typename:
			i = d.typename(i, at, shape)
		default:
			var child Value
			child, i = d.value(i, field.Child)
			if i >= 0 {
				d.segment.Values[at+field.Slot] = child
			}
		}
		if i < 0 {
			return v, -1
		}
		if i < len(b) && b[i] <= ' ' {
			i = space(b, i)
		}
		if i >= len(b) {
			return v, -1
		}
		if b[i] == '}' {
			return v, i + 1
		}
		if b[i] != ',' {
			return v, -1
		}
		if i++; i < len(b) && b[i] <= ' ' {
			i = space(b, i)
		}
	}
}

// typename reads an object's runtime type into its header.
func (d *Decoder) typename(i, at int, shape *Shape) int {
	kind, end := leaf(d.b, i, 0)
	if end < 0 || kind != String {
		return end
	}
	id := shape.Types.intern(d.b[i+1 : end-1])
	if shape.Types.IsObject(id) || d.segment.Values[at].A == uint32(None) {
		d.segment.Values[at].A = uint32(id)
	}
	return end
}

// search finds the field of a quoted key that is not the expected one, or -1.
func (s *Shape) search(key []byte, next int) int {
	for i := next; i < len(s.Fields); i++ {
		if s.Fields[i].Key == string(key) {
			return i
		}
	}
	for i := 0; i < next && i < len(s.Fields); i++ {
		if s.Fields[i].Key == string(key) {
			return i
		}
	}
	if slices.Contains(key, '\\') {
		var plain string
		if json.Unmarshal(key, &plain) != nil {
			return -1
		}
		return slices.IndexFunc(s.Fields, func(f Field) bool { return f.Key[1:len(f.Key)-1] == plain })
	}
	return -1
}
