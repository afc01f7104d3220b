package execute

import (
	"encoding/json"
	"errors"

	"github.com/citizencloud/citizencloud/graph/project"
	"github.com/citizencloud/citizencloud/graph/tree"
)

const (
	// maxErrors bounds what one reply adds to the errors of the answer.
	maxErrors = 100
	// maxPlaces bounds how often one error is repeated, once for each place of its entity.
	maxPlaces = 20
)

// passed are the entries of extensions, beside code, that a subgraph may show to
// clients; anything else could be a stack, a statement or an address.
var passed = [...]string{"field", "fields", "retryAfter"}

// fail reports that no usable answer came, and explains the nulls that it leaves.
func (r *run) fail(f *fetch, s *state, reason error) {
	code := project.CodeSubrequestFailed
	if errors.Is(reason, tree.ErrDiffer) {
		code = project.CodeInvalidResponse
	}
	var path []project.Step
	if len(s.targets) > 0 {
		located := r.locate(f, s, func(uint32) bool { return true }, 1)
		for _, branches := range located {
			path = branches[0].Path
		}
		if len(s.targets) > 1 {
			for i := range path {
				if path[i].Key == "" {
					path = path[:i]
					break
				}
			}
		}
	}
	r.errors = append(r.errors, project.Error{
		Message: "暂时无法取得这部分数据，请稍后重试",
		Path:    path,
		Code:    code,
		Service: f.service,
	})
	for _, t := range s.targets {
		r.tree.Explain(t.object, f.fields)
	}
}

// reportAll adds a reply's errors, with the paths that the client knows, and marks the nulls that they explain.
func (r *run) reportAll(f *fetch, s *state, wire []wireError) {
	wanted := map[uint32]bool{}
	for i := range wire {
		if entity, _, ok := entityPath(f, wire[i].Path); ok {
			wanted[entity] = true
		}
	}
	var located map[uint32][]project.Branch
	if len(wanted) > 0 || f.entity == nil {
		located = r.locate(f, s, func(entity uint32) bool { return f.entity == nil || wanted[entity] }, maxPlaces)
	}
	for i := range wire {
		if i == maxErrors {
			break
		}
		w := &wire[i]
		made := project.Error{Message: w.Message, Service: f.service}
		if code, ok := w.Extensions["code"]; ok {
			_ = json.Unmarshal(code, &made.Code)
		}
		for _, key := range passed {
			if value, ok := w.Extensions[key]; ok {
				if made.Extensions == nil {
					made.Extensions = map[string]json.RawMessage{}
				}
				made.Extensions[key] = value
			}
		}
		entity, rest, ok := entityPath(f, w.Path)
		if !ok {
			r.explainAll(f, s)
			r.errors = append(r.errors, made)
			continue
		}
		value := s.answer.Data
		if f.entity != nil && value.Kind == tree.Object {
			value = r.tree.Slot(value, 1)
			if value.Kind == tree.List && entity < value.B {
				if element := r.tree.Elements(value); element[entity].Kind == tree.Null {
					element[entity].Flags |= tree.Explained
				} else {
					value = element[entity]
				}
			}
		}
		r.explainAt(value, f.fields, rest)
		for _, branch := range located[entity] {
			made.Path = r.clientPath(branch, value, f.fields, rest)
			r.errors = append(r.errors, made)
		}
		if len(located[entity]) == 0 {
			r.errors = append(r.errors, made)
		}
	}
}

// entityPath splits the path of a subgraph's error into the entity's number and the rest. ok is false
// when the path leads nowhere.
func entityPath(f *fetch, path []any) (uint32, []any, bool) {
	if f.entity == nil {
		return 0, path, len(path) > 0
	}
	if len(path) < 2 || path[0] != "_entities" {
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
	entities := r.tree.Slot(data, 1)
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

// clientPath continues a branch along the rest of a subgraph's path.
func (r *run) clientPath(b project.Branch, v tree.Value, shape *tree.Shape, path []any) []project.Step {
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
		id := tree.None
		if v.Kind == tree.Object {
			id = r.tree.Type(v)
			v = r.tree.Slot(v, field.Slot)
		}
		b = b.Down(field.Slot, id, r.holds)
		shape = field.Child
	}
	return b.Path
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
