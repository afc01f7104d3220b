package execute

import (
	"encoding/json"
	"errors"
	"slices"

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
	r.tell(f, s, reason)
	r.lose(f, s, reason)
}

// lose is fail for who wants to know only of the client.
func (r *run) lose(f *fetch, s *state, reason error) {
	code := project.CodeSubrequestFailed
	if errors.Is(reason, tree.ErrDiffer) {
		code = project.CodeInvalidResponse
	}
	r.add(f, project.Error{
		Message: "暂时无法取得这部分数据，请稍后重试",
		Path:    r.failedAt(f, s),
		Code:    code,
		Service: f.service,
	})
	for _, t := range s.targets {
		r.tree.Explain(t.object, f.fields)
	}
}

// failedAt is where a fetch's data is missing: the one object that it completes, or the list that holds
// all of them. It is nil where there is no such place.
func (r *run) failedAt(f *fetch, s *state) []project.Step {
	var at project.Branch
	located := r.locate(f, s, func(uint32) bool { return true }, 1)
	for entity := uint32(0); int(entity) <= len(s.spans); entity++ {
		if branches := located[entity]; branches != nil {
			at = branches[0]
			break
		}
	}
	if f.entity == nil && len(f.fields.Fields) == 1 {
		at = at.Down(f.fields.Fields[0].Slot, tree.None, r.holds)
	}
	path := at.Path
	if len(s.targets) > 1 {
		if i := slices.IndexFunc(path, func(s project.Step) bool { return s.Key == "" }); i >= 0 {
			path = path[:i]
		}
	}
	if len(path) == 0 {
		return nil
	}
	return path
}

// add appends to the errors of the run.
func (r *run) add(f *fetch, e project.Error) {
	r.errors = append(r.errors, failure{f.id, e})
}

// sorted are the errors in the order of the plan, whichever reply came first.
func (r *run) sorted(to []project.Error) []project.Error {
	slices.SortStableFunc(r.errors, func(a, b failure) int { return a.fetch - b.fetch })
	for _, e := range r.errors {
		to = append(to, e.error)
	}
	return to
}

// told is a subgraph's error as the client gets it, without a path.
func (r *run) told(f *fetch, w *wireError) project.Error {
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
	return made
}

// reportAll adds a reply's errors, with the paths that the client knows, and marks the nulls that they explain.
func (r *run) reportAll(f *fetch, s *state, wire []wireError) {
	wanted := map[uint32]bool{}
	for i := range wire {
		if entity, _, ok := entityPath(f, s, wire[i].Path); ok {
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
		made := r.told(f, w)
		entity, rest, ok := entityPath(f, s, w.Path)
		if !ok {
			r.explainAll(f, s)
			r.add(f, made)
			continue
		}
		value := s.answer.Data
		if f.entity != nil && value.Kind == tree.Object {
			value = r.tree.Slot(value, s.entities())
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
			made.Path = r.clientPath(branch, value, r.holder(s, entity), f.fields, rest)
			r.add(f, made)
		}
		if len(located[entity]) == 0 {
			r.add(f, made)
		}
	}
}
