package plan

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// view is a place as it is printed at one spot of a document: the same place
// can stand inside fragments on several types, where its objects are fewer.
type view struct {
	place  *place
	as     *supergraph.Type // the type of the spot; nil where only fragments can be asked
	object bool             // as is an interface object
	types  mask             // object types that can come here
}

// root is the view of a fetch's own place; of an entity fetch there is one for
// each type that a representation names.
func (p *planning) roots(f *fetch) []view {
	pl := f.place
	if f.inputs == nil {
		return []view{{pl, pl.as, false, pl.types}}
	}
	var views []view
	done := map[*supergraph.Type]bool{}
	for i, t := range pl.node.types {
		in := f.inputs[i]
		switch {
		case in == nil || done[in.as]:
		case in.as == t:
			views = append(views, view{pl, t, false, mask(nil).with(i)})
		case in.object:
			done[in.as] = true
			views = append(views, view{pl, in.as, true, f.objects(in.as)})
		default:
			done[in.as] = true
			views = append(views, view{pl, in.as, false, pl.types})
		}
	}
	return views
}

// objects are the object types that the fetch asks of as the interface object.
func (f *fetch) objects(as *supergraph.Type) mask {
	var types mask
	for i := range f.node.types {
		if in := f.inputs[i]; in != nil && in.as == as {
			types = types.with(i)
		}
	}
	return types
}

// basic says whether the entry is asked on the view's own type, not only inside
// fragments on object types.
func (v view) basic(e *entry) bool {
	switch {
	case v.object:
		return true
	case v.as == nil:
		return false
	case v.as.Kind == ast.Object:
		return true
	case len(e.slot.keys) > 0 || !e.types.covers(v.types) || len(e.branches) > 1 && v.child(e, -1) == nil:
		return false
	case e.slot.name == "__typename":
		return true
	case e.contextual():
		return false // the interface's field does not have the arguments
	}
	field := v.as.Field(e.slot.name)
	return field != nil && field.For(v.place.fetch.subgraph) != nil
}

// asked says whether the entry is asked in the view at all.
func (v view) asked(e *entry) bool {
	if e.when.never() && !e.always {
		return false
	}
	return !e.types.intersect(v.types).empty()
}

// key is the key of an entry that is asked on the view's own type.
func (v view) key(e *entry) string {
	if v.as.Kind == ast.Object && !v.object {
		if i := v.place.node.index(v.as); i >= 0 {
			return e.slot.keyFor(i)
		}
	}
	return e.slot.key
}

// fieldIn is the entry's field as the subgraph defines it: on the view's own
// type (i < 0), or on the i-th object type. It is nil for __typename.
func (v view) fieldIn(e *entry, i int) *supergraph.FieldIn {
	holder := v.as
	if i >= 0 {
		holder = v.place.node.types[i]
	}
	if field := holder.Field(e.slot.name); field != nil {
		return field.For(v.place.fetch.subgraph)
	}
	return nil
}

// child is the place below the entry for the i-th object type, or (i < 0) for
// all of the view; nil where they have different ones.
func (v view) child(e *entry, i int) *place {
	if i >= 0 {
		return e.child(i)
	}
	var found *place
	for _, b := range e.branches {
		switch {
		case b.types.intersect(v.types).empty():
		case found != nil && v.object:
			return found
		case found != nil:
			return nil
		default:
			found = b.place
		}
	}
	return found
}

// below is the view of what the entry's field leads to, asked on the view's own
// type (i < 0) or on the i-th object type.
func (p *planning) below(v view, e *entry, i int) view {
	child := view{place: v.child(e, i)}
	in := v.fieldIn(e, i)
	if in == nil {
		return child
	}
	child.as = p.super.Type(in.Type.Name())
	if child.as == nil {
		return child
	}
	if known := child.as.For(v.place.fetch.subgraph); known != nil {
		child.object = known.InterfaceObject
		child.types = child.place.node.mask(known.Members)
	}
	return child
}
