package execute

import (
	"github.com/citizencloud/citizencloud/graph/project"
	"github.com/citizencloud/citizencloud/graph/tree"
)

// entityPath splits the path of a subgraph's error into the entity's number and the rest. ok is false
// when the path leads nowhere.
func entityPath(f *fetch, s *state, path []any) (uint32, []any, bool) {
	if f.entity == nil {
		return 0, path, len(path) > 0
	}
	if len(path) < 2 || path[0] != s.key() {
		return 0, nil, false
	}
	index, ok := path[1].(float64)
	return uint32(index), path[2:], ok && index >= 0
}

// explainAll marks every null at the top of a reply: an error without a path may be the reason of any.
func (r *run) explainAll(f *fetch, s *state) {
	data := s.answer.Data
	if data.Kind != tree.Object {
		return
	}
	if f.entity == nil {
		r.tree.Explain(data, f.fields)
		return
	}
	entities := r.tree.Slot(data, s.entities())
	if entities.Kind != tree.List {
		return
	}
	for i := range entities.B {
		element := &r.tree.Elements(entities)[i]
		switch element.Kind {
		case tree.Null:
			element.Flags |= tree.Explained
		case tree.Object:
			r.tree.Explain(*element, f.fields)
		}
	}
}

// explainAt marks the null that a path leads to, or the one before its end where it bubbled.
func (r *run) explainAt(v tree.Value, shape *tree.Shape, path []any) {
	for _, element := range path {
		switch {
		case v.Kind == tree.Object && shape != nil:
			field := find(shape, element)
			if field == nil {
				return
			}
			next := r.tree.Slot(v, field.Slot)
			if next.Kind <= tree.Null {
				r.tree.Set(v, field.Slot, tree.Value{Kind: tree.Null, Flags: tree.Explained})
				return
			}
			if next.Kind == tree.Raw { // a null among its elements is explained
				next.Flags |= tree.Explained
				r.tree.Set(v, field.Slot, next)
				return
			}
			v, shape = next, field.Child
		case v.Kind == tree.List:
			index, ok := element.(float64)
			if !ok || index < 0 || index >= float64(v.B) {
				return
			}
			next := &r.tree.Elements(v)[int(index)]
			if next.Kind <= tree.Null {
				next.Flags |= tree.Explained
				return
			}
			v = *next
		default:
			return
		}
	}
}

// clientPath continues a branch along the rest of a subgraph's path; holder is the type of the object that it
// starts from, which an entity's own reply need not tell.
func (r *run) clientPath(b project.Branch, v tree.Value, holder tree.TypeID, shape *tree.Shape, path []any) []project.Step {
	for _, element := range path {
		if index, ok := element.(float64); ok {
			b = b.At(int(index))
			if v.Kind == tree.List && index >= 0 && index < float64(v.B) {
				v = r.tree.Elements(v)[int(index)]
			} else {
				v = tree.Value{}
			}
			continue
		}
		if shape == nil {
			break
		}
		field := find(shape, element)
		if field == nil {
			break
		}
		id := holder
		holder = tree.None
		if v.Kind == tree.Object {
			if told := r.tree.Type(v); told != tree.None {
				id = told
			}
			v = r.tree.Slot(v, field.Slot)
		}
		b = b.Down(field.Slot, id, r.holds)
		shape = field.Child
	}
	return b.Path
}

// holder is the type of the objects that an entity completes.
func (r *run) holder(s *state, entity uint32) tree.TypeID {
	for _, t := range s.targets {
		if t.entity == entity {
			return r.tree.Type(t.object)
		}
	}
	return tree.None
}

func find(shape *tree.Shape, element any) *tree.Field {
	key, ok := element.(string)
	if !ok {
		return nil
	}
	for i := range shape.Fields {
		if k := shape.Fields[i].Key; k[1:len(k)-1] == key && !shape.Fields[i].Typename {
			return &shape.Fields[i]
		}
	}
	return nil
}

// locate finds the client's paths of a fetch's targets, at most limit for each entity that is wanted.
func (r *run) locate(f *fetch, s *state, wanted func(entity uint32) bool, limit int) map[uint32][]project.Branch {
	entities := map[tree.Value]uint32{}
	for _, t := range s.targets {
		if wanted(t.entity) {
			entities[t.object] = t.entity
		}
	}
	found := map[uint32][]project.Branch{}
	var walk func(p *place, n int, v tree.Value, b project.Branch)
	walk = func(p *place, n int, v tree.Value, b project.Branch) {
		switch v.Kind {
		case tree.List:
			for i, element := range r.tree.Elements(v) {
				walk(p, n, element, b.At(i))
			}
		case tree.Object:
			id := r.tree.Type(v)
			if n > 0 && !p.steps[n-1].types.Has(id) {
				return
			}
			if n < len(p.steps) {
				slot := p.steps[n].slot
				walk(p, n+1, r.tree.Slot(v, slot), b.Down(slot, id, r.holds))
				return
			}
			if entity, ok := entities[v]; ok && len(found[entity]) < limit {
				found[entity] = append(found[entity], b)
			}
		}
	}
	for i := range f.places {
		walk(&f.places[i], 0, r.tree.Root, r.program.Projection.Start())
	}
	return found
}
