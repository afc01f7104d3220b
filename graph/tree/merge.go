package tree

import "errors"

// ErrDiffer says that two subgraphs brought what cannot be one thing: lists
// of unequal length, or an object and something else.
var ErrDiffer = errors.New("subgraphs brought different data for one place")

// Merge writes what shape names of one object into another at the same position. share says that from
// stays in use elsewhere: what may not be shared is copied.
func (t *Tree) Merge(to, from Value, shape *Shape, share bool) error {
	src := &t.Segments[from.Src]
	dst := &t.Segments[to.Src]
	types := shape.Types
	have, brought := &dst.Values[to.A].A, src.Values[from.A].A
	if TypeID(brought) != None && !types.IsObject(TypeID(*have)) {
		*have = brought
	}
	for i := range shape.Fields {
		field := &shape.Fields[i]
		if field.Typename {
			continue
		}
		value := src.Values[int(from.A)+field.Slot]
		if value.Kind == Missing {
			continue
		}
		place := &dst.Values[int(to.A)+field.Slot]
		if place.Kind <= Null {
			if place.Kind == Null && value.Kind == Null {
				place.Flags |= value.Flags
				continue
			}
			if share && field.Own {
				value = t.clone(value, field.Child)
				// The copy may have moved the segment's values.
				place = &dst.Values[int(to.A)+field.Slot]
			}
			value.Flags |= place.Flags
			*place = value
			continue
		}
		if err := t.mergeValue(place, value, field, share); err != nil {
			return err
		}
	}
	return nil
}

// mergeValue completes what stands at a place already.
func (t *Tree) mergeValue(have *Value, brought Value, field *Field, share bool) error {
	if brought.Kind <= Null || *have == brought {
		if brought.Kind == Null && field.Child != nil {
			have.Flags |= brought.Flags
		}
		return nil
	}
	if field.Child == nil {
		*have = brought
		return nil
	}
	switch {
	case have.Kind == Object && brought.Kind == Object:
		return t.Merge(*have, brought, field.Child, share)
	case have.Kind == List && brought.Kind == List && have.B == brought.B:
		for i := range int(have.B) {
			mine := &t.Segments[have.Src].Values[int(have.A)+i]
			its := t.Segments[brought.Src].Values[int(brought.A)+i]
			if mine.Kind <= Null {
				if share && field.Own {
					its = t.clone(its, field.Child)
					mine = &t.Segments[have.Src].Values[int(have.A)+i]
				}
				if its.Kind > Null {
					its.Flags |= mine.Flags
					*mine = its
				}
				continue
			}
			if err := t.mergeValue(mine, its, field, share); err != nil {
				return err
			}
		}
		return nil
	}
	return ErrDiffer
}

// clone copies the objects and lists of a value, so that one place can be completed without the other.
func (t *Tree) clone(v Value, shape *Shape) Value {
	segment := &t.Segments[v.Src]
	switch v.Kind {
	case List:
		at := segment.grow(int(v.B))
		for i := range int(v.B) {
			copied := t.clone(segment.Values[int(v.A)+i], shape)
			segment.Values[at+i] = copied
		}
		v.A = uint32(at)
	case Object:
		if shape == nil {
			return v
		}
		at := segment.grow(shape.Position.size)
		copy(segment.Values[at:at+shape.Position.size], segment.Values[v.A:int(v.A)+shape.Position.size])
		for i := range shape.Fields {
			if field := &shape.Fields[i]; !field.Typename {
				copied := t.clone(segment.Values[int(v.A)+field.Slot], field.Child)
				segment.Values[at+field.Slot] = copied
			}
		}
		v.A = uint32(at)
	}
	return v
}

// Explain marks what the shape names and nobody brought as null for a reason that is reported already.
func (t *Tree) Explain(object Value, shape *Shape) {
	t.nullify(object, shape, Explained, true)
}

// Nullify makes null what the shape names and nobody brought: the subgraph knows no such object.
func (t *Tree) Nullify(object Value, shape *Shape, flags uint8) {
	t.nullify(object, shape, flags, false)
}

func (t *Tree) nullify(object Value, shape *Shape, flags uint8, nulls bool) {
	values := t.Segments[object.Src].Values[object.A:]
	for i := range shape.Fields {
		if shape.Fields[i].Typename {
			continue
		}
		if v := &values[shape.Fields[i].Slot]; v.Kind == Missing || nulls && v.Kind == Null {
			v.Kind = Null
			v.Flags |= flags
		} else if v.Kind >= Object && shape.Fields[i].Child != nil {
			v.Flags |= flags // what this shape names below does not come
		}
	}
}
