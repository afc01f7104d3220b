package project

import (
	"slices"

	"github.com/citizencloud/citizencloud/graph/tree"
)

// Write appends the whole answer: {"data":…} and, where there are any, the errors.
func (w *Writer) Write(p *Projection, t *tree.Tree) {
	w.tree, w.projection, w.overflow = t, p, false
	if w.limit == 0 {
		w.limit = maxAnswer
	}
	// Most answers are about as long as the replies that they are made of.
	w.Body = slices.Grow(w.Body, t.Size())
	w.Body = append(w.Body, `{"data":`...)
	start := len(w.Body)
	if !w.object(t.Root, p.response, p.root) || w.overflow {
		w.Body = append(w.Body[:start], "null"...)
	}
	if w.overflow {
		w.Errors = append(w.Errors[:0], Error{Message: "结果过大，请缩小查询范围", Code: CodeTooLarge})
	}
	if len(w.Errors) > 0 {
		w.Body = append(w.Body, `,"errors":`...)
		w.Body = AppendErrors(w.Body, w.Errors)
	}
	w.Body = append(w.Body, '}')
}

// object writes an object. It returns false when null has to stand in its place.
func (w *Writer) object(v tree.Value, s *selection, id tree.TypeID) bool {
	fields := s.fields
	if s.varies {
		fields = w.ordered(s, id)
	}
	w.Body = append(w.Body, '{')
	first := true
	slots := w.tree.Slots(v)
	for _, f := range fields {
		if f.types == nil && f.when < 0 && f.slot > 0 {
			if value := slots[f.slot]; f.plain>>value.Kind&1 != 0 {
				if !first {
					w.Body = append(w.Body, ',')
				}
				first = false
				w.Body = append(w.Body, f.key...)
				w.Body = append(w.Body, w.tree.Bytes(value)...)
				continue
			}
		}
		if f.when >= 0 && !w.Holds[f.when] || f.types != nil && !f.types.Has(id) {
			continue
		}
		if !first {
			w.Body = append(w.Body, ',')
		}
		first = false
		w.Body = append(w.Body, f.key...)
		switch {
		case f.typename:
			if id == tree.None {
				w.fail(f, "对象的类型未知，无法给出 __typename")
				return false
			}
			w.Body = append(w.Body, '"')
			w.Body = append(w.Body, w.projection.types.Name(id)...)
			w.Body = append(w.Body, '"')
		case f.denied:
			w.refuse(f, false)
			if f.typ.nonNull {
				return false
			}
			w.Body = append(w.Body, "null"...)
		case f.introspection != nil:
			w.Body = f.introspection.Append(w.Body, w.Variables)
		default:
			var value tree.Value
			if f.slot > 0 {
				value = slots[f.slot]
			}
			// Leaves are the most of an answer; they need no path unless they fail.
			if value.Kind >= tree.Object || value.Kind == tree.Raw {
				w.path = append(w.path, crumb{field: f})
				ok := w.value(value, f, f.typ, true)
				w.path = w.path[:len(w.path)-1]
				if !ok {
					return false
				}
			} else if !w.value(value, f, f.typ, false) {
				return false
			}
		}
	}
	w.Body = append(w.Body, '}')
	return true
}

// value writes a value of type t; onPath says that the path ends with it already. It returns false
// when the type allows no null here, so that the null goes to the parent.
func (w *Writer) value(v tree.Value, f *field, t *typ, onPath bool) bool {
	if v.Kind <= tree.Null {
		if t.nonNull {
			if v.Flags&tree.Explained == 0 && w.explained == 0 {
				w.failAt(f, onPath, "字段 "+f.schema+" 不可为空，但没有取得数据")
			}
			return false
		}
		w.Body = append(w.Body, "null"...)
		return true
	}
	within := v.Flags&tree.Explained != 0 && v.Kind >= tree.Object
	if within {
		w.explained++
	}
	start := len(w.Body)
	var ok bool
	switch {
	case t.elem != nil:
		ok = w.list(v, f, t.elem, onPath)
	case t.possible != nil:
		ok = w.composite(v, f, t, onPath)
	default:
		w.Body, ok = t.append(w.Body, v.Kind, w.tree.Bytes(v))
		if !ok {
			w.failAt(f, onPath, "字段 "+f.schema+" 的值不符合其类型")
		}
	}
	if within {
		w.explained--
	}
	if ok {
		return true
	}
	if t.nonNull {
		return false
	}
	w.Body = append(w.Body[:start], "null"...)
	w.forget(start)
	return true
}

// forget drops what was noted of the body that has been taken back.
func (w *Writer) forget(start int) {
	n := len(w.written)
	for n > 0 && w.written[n-1].end > start {
		n--
	}
	w.written = w.written[:n]
}

func (w *Writer) composite(v tree.Value, f *field, t *typ, onPath bool) bool {
	if v.Kind != tree.Object {
		w.failAt(f, onPath, "字段 "+f.schema+" 的值不符合其类型")
		return false
	}
	id := w.tree.Type(v)
	if id != tree.Other && !w.projection.types.IsObject(id) {
		id = t.only
	}
	if id != tree.None && !t.possible.Has(id) {
		w.failAt(f, onPath, "字段 "+f.schema+" 的值不符合其类型")
		return false
	}
	if f.withheld != nil && (id == tree.None || f.withheld.Has(id)) {
		w.refuse(f, onPath)
		return false
	}
	if !w.Shared {
		return w.object(v, f.below, id)
	}
	if n, ok := w.tree.Noted(v); ok && int(n) < len(w.written) {
		if at := w.written[n]; at.source == v.Src && at.object == v.A && at.field == f.number {
			w.Body = append(w.Body, w.Body[at.start:at.end]...)
			return true
		}
	}
	start, errors := len(w.Body), len(w.Errors)
	if !w.object(v, f.below, id) {
		return false
	}
	if len(w.Errors) == errors { // errors name the place, so they are found again at each
		w.tree.Note(v, uint32(len(w.written)))
		w.written = append(w.written, written{v.Src, v.A, f.number, start, len(w.Body)})
	}
	return true
}

func (w *Writer) list(v tree.Value, f *field, elem *typ, onPath bool) bool {
	switch v.Kind {
	case tree.List:
		w.path = append(w.path, crumb{})
		w.Body = append(w.Body, '[')
		elements := w.tree.Elements(v)
		for i := range elements {
			w.path[len(w.path)-1].index = i
			if len(w.Body) > w.limit {
				w.overflow = true
				break
			}
			if i > 0 {
				w.Body = append(w.Body, ',')
			}
			if !w.value(elements[i], f, elem, true) {
				w.path = w.path[:len(w.path)-1]
				return false
			}
		}
		w.path = w.path[:len(w.path)-1]
		w.Body = append(w.Body, ']')
		return true
	case tree.Raw:
		span := w.tree.Bytes(v)
		if span[0] == '[' {
			return w.leaves(v, f, elem)
		}
	}
	w.failAt(f, onPath, "字段 "+f.schema+" 的值不符合其类型")
	return false
}

// leaves writes a list of leaves, which was kept as it came.
func (w *Writer) leaves(list tree.Value, f *field, elem *typ) bool {
	w.Body = append(w.Body, '[')
	w.path = append(w.path, crumb{})
	last := len(w.path) - 1
	ok, i := true, 0
	w.tree.Each(list, func(v tree.Value) bool {
		w.path[last].index = i
		if i > 0 {
			w.Body = append(w.Body, ',')
		}
		i++
		ok = w.value(v, f, elem, true)
		return ok
	})
	w.path = w.path[:last]
	w.Body = append(w.Body, ']')
	return ok
}

// refuse adds the error of what the client may not see. It says no more than
// the place: neither what there is, nor what right is missing.
func (w *Writer) refuse(f *field, onPath bool) {
	before := len(w.Errors)
	w.failAt(f, onPath, "没有访问该内容的权限")
	if len(w.Errors) > before {
		w.Errors[before].Code = CodeUnauthorized
	}
}

// fail adds an error at a field of the object that is being written.
func (w *Writer) fail(f *field, message string) { w.failAt(f, false, message) }

func (w *Writer) failAt(f *field, onPath bool, message string) {
	if len(w.Errors) >= maxErrors {
		return
	}
	path := make([]Step, 0, len(w.path)+1)
	for _, c := range w.path {
		if c.field != nil {
			path = append(path, Step{Key: c.field.name})
		} else {
			path = append(path, Step{Index: c.index})
		}
	}
	if !onPath {
		path = append(path, Step{Key: f.name})
	}
	w.Errors = append(w.Errors, Error{Message: message, Path: path, Code: CodeInvalidResponse})
}
