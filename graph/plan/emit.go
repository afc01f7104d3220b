package plan

import (
	"sort"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// emit makes the plan out of what was built.
func (p *planning) emit(root *node, operation *ast.OperationDefinition) (*Plan, error) {
	plan := &Plan{
		Operation: p.operation, Name: operation.Name, Variables: operation.VariableDefinitions,
		RootType: root.typ.Name,
		Response: p.outputs(root, nil),
	}
	out := make(map[*fetch]*Fetch, len(p.fetches))
	for _, f := range p.fetches {
		out[f] = p.emitFetch(f)
	}
	p.merge(out)
	for id, f := range p.fetches {
		out[f].ID = id
		for _, before := range f.after {
			out[f].After = append(out[f].After, out[before].ID)
		}
		sort.Ints(out[f].After)
		plan.Fetches = append(plan.Fetches, out[f])
	}
	reduce(plan.Fetches)
	return plan, nil
}

// reduce drops what a fetch waits for anyway through another.
func reduce(fetches []*Fetch) {
	before := make([]mask, len(fetches)) // all that must be merged before
	for id, f := range fetches {
		var through mask
		for _, other := range f.After {
			through = through.union(before[other])
		}
		kept := f.After[:0]
		for _, other := range f.After {
			if !through.has(other) {
				kept = append(kept, other)
			}
			before[id] = before[id].union(before[other]).with(other)
		}
		f.After = kept
		if len(kept) == 0 {
			f.After = nil
		}
	}
}

func (p *planning) emitFetch(f *fetch) *Fetch {
	out := &Fetch{
		Subgraph: p.super.Subgraphs[f.subgraph].ID, Operation: f.operation, When: f.when,
		Selection: p.selections(f.place, f.when),
	}
	if f.node.parent != nil {
		paths := p.paths(f.node)
		out.Path = paths[0]
		if f.inputs != nil {
			out.Inputs = p.inputs(f)
			for _, path := range paths[1:] {
				out.Places = append(out.Places, &Place{Path: path, Inputs: out.Inputs})
			}
		}
	}
	p.document(out)
	return out
}

// paths lead from the root to the node: one, or more where a field on the way
// bears different keys by the type of its holder.
func (p *planning) paths(n *node) [][]Step {
	if n.parent == nil {
		return [][]Step{nil}
	}
	s := n.parent
	holder := s.holder
	var found [][]Step
	for _, path := range p.paths(holder) {
		byKey := map[string]mask{}
		var order []string
		for i := range holder.types {
			key := s.keyFor(i)
			if s.types != nil && !s.types.has(i) {
				continue
			}
			if byKey[key] == nil {
				order = append(order, key)
			}
			byKey[key] = byKey[key].with(i)
		}
		sort.Strings(order)
		for _, key := range order {
			steps := append(append(make([]Step, 0, len(path)+1), path...), Step{Key: key})
			if len(path) > 0 && holder.ambiguous(s, key) {
				steps[len(path)-1].Types = holder.names(byKey[key])
			}
			found = append(found, steps)
		}
	}
	return found
}

// ambiguous says whether another field of the node bears the key for other object types.
func (n *node) ambiguous(s *slot, key string) bool {
	for _, other := range n.slots {
		if other == s {
			continue
		}
		if other.key == key {
			return true
		}
		for _, otherKey := range other.keys {
			if otherKey == key {
				return true
			}
		}
	}
	return false
}

// outputs is the client's selection on a node, in the order of the answer.
func (p *planning) outputs(n *node, known Condition) []*Output {
	type placed struct {
		slot *slot
		at   position
	}
	var order []placed
	for _, s := range n.slots {
		for _, at := range s.positions {
			order = append(order, placed{s, at})
		}
	}
	sort.SliceStable(order, func(i, j int) bool { return order[i].at.number < order[j].at.number })
	list := make([]*Output, 0, len(order))
	for _, o := range order {
		if n.parent == nil && isIntrospection(o.slot.name) {
			list = append(list, p.introspection(o.slot, o.at.when.given(known)))
			continue
		}
		list = append(list, p.outputsOf(o.slot, o.at.when.given(known))...)
	}
	return list
}

// outputsOf is one field of the answer, split where the holder's types differ
// in the field's type or in its key.
func (p *planning) outputsOf(s *slot, when Condition) []*Output {
	n := s.holder
	var order []string
	groups := map[string]mask{}
	types := map[string]*ast.Type{}
	for i, t := range n.types {
		if !s.types.has(i) {
			continue
		}
		typ := typenameType
		if s.name != "__typename" {
			field := t.Field(s.name)
			if field == nil {
				continue
			}
			typ = field.Definition.Type
		}
		signature := s.keyFor(i) + " " + typ.String()
		if groups[signature] == nil {
			order = append(order, signature)
			types[signature] = typ
		}
		groups[signature] = groups[signature].with(i)
	}
	var fields []*Output
	if s.child != nil {
		if s.fields == nil {
			s.fields = p.outputs(s.child, s.when)
		}
		fields = s.fields
	}
	var list []*Output
	for _, signature := range order {
		from, _, _ := strings.Cut(signature, " ")
		o := &Output{Key: s.client, From: from, Name: s.name, Type: types[signature], When: when, Fields: fields}
		if !groups[signature].covers(n.all()) {
			o.Types = n.names(groups[signature])
		}
		list = append(list, o)
	}
	return list
}

var typenameType = ast.NonNullNamedType("String", nil)

func isIntrospection(name string) bool { return strings.HasPrefix(name, "__") }

func (p *planning) introspection(s *slot, when Condition) *Output {
	o := &Output{Key: s.client, From: s.key, Name: s.name, When: when, Type: typenameType}
	if s.name != "__typename" {
		o.Introspection = s.merged
		o.Type = ast.NamedType("__Type", nil)
		if s.name == "__schema" {
			o.Type = ast.NonNullNamedType("__Schema", nil)
		}
	}
	return o
}

// selections prints a place as a selection set. Known is the condition under
// which the set is asked at all.
func (p *planning) selections(pl *place, known Condition) []*Selection {
	var list []*Selection
	if pl.entity {
		list = p.entitySelections(pl, known)
	} else {
		list = p.placeSelections(pl, pl.entries, pl.types, known)
	}
	if len(list) == 0 {
		list = []*Selection{{Name: "__typename", Type: typenameType}}
	}
	return list
}

func (p *planning) placeSelections(pl *place, entries []*entry, types mask, known Condition) []*Selection {
	var list []*Selection
	fragments := make([][]*Selection, len(pl.node.types))
	for _, e := range entries {
		if e.when.never() && !e.always {
			continue
		}
		if e.basic() {
			list = append(list, p.selection(e, e.slot.key, known))
			continue
		}
		for i := range pl.node.types {
			if e.types.has(i) && types.has(i) {
				fragments[i] = append(fragments[i], p.selection(e, e.slot.keyFor(i), known))
			}
		}
	}
	for i, inner := range fragments {
		if len(inner) > 0 {
			list = append(list, &Selection{On: pl.node.types[i].Name, Selections: inner})
		}
	}
	sortFragments(list)
	return list
}

// sortFragments orders the fragments, which stand last, by their type.
func sortFragments(list []*Selection) {
	k := len(list)
	for k > 0 && list[k-1].Name == "" {
		k--
	}
	sort.SliceStable(list[k:], func(i, j int) bool { return list[k+i].On < list[k+j].On })
}

func (p *planning) selection(e *entry, key string, known Condition) *Selection {
	s := &Selection{Name: e.slot.name, Arguments: e.slot.arguments, Type: typenameType}
	if key != s.Name {
		s.Alias = key
	}
	if !e.always {
		s.When = e.when.given(known)
	}
	for i, t := range e.slot.holder.types {
		if field := t.Field(s.Name); field != nil && (e.types.has(i) || e.place.object) {
			s.Type = field.Definition.Type
			break
		}
	}
	if e.child != nil {
		s.Selections = p.selections(e.child, e.when)
	}
	return s
}

// entitySelections prints the root of an entity fetch: one fragment for each
// type that a representation names.
func (p *planning) entitySelections(pl *place, known Condition) []*Selection {
	var list []*Selection
	done := map[string]bool{}
	for i, t := range pl.node.types {
		in := pl.fetch.inputs[i]
		if in == nil || done[in.as.Name] {
			continue
		}
		fragment := &Selection{On: in.as.Name}
		if in.as == t {
			fragment.Selections = p.placeSelections(&place{fetch: pl.fetch, node: pl.node, as: t, types: mask(nil).with(i)}, pl.only(i), mask(nil).with(i), known)
			for _, inner := range fragment.Selections {
				if inner.Name == "" && inner.On == t.Name {
					fragment.Selections = inner.Selections
				}
			}
		} else {
			done[in.as.Name] = true
			inner := &place{fetch: pl.fetch, node: pl.node, as: in.as, object: in.object, types: pl.types}
			var entries []*entry
			for _, e := range pl.entries {
				copied := *e
				copied.place = inner
				entries = append(entries, &copied)
			}
			fragment.Selections = p.placeSelections(inner, entries, pl.types, known)
		}
		if len(fragment.Selections) == 0 {
			fragment.Selections = []*Selection{{Name: "__typename", Type: typenameType}}
		}
		list = append(list, fragment)
	}
	sortFragments(list)
	return list
}

// only are the entries that are asked for the i-th object type.
func (pl *place) only(i int) []*entry {
	var list []*entry
	for _, e := range pl.entries {
		if e.types.has(i) {
			list = append(list, e)
		}
	}
	return list
}
