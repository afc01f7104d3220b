package plan

import (
	"fmt"
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
		out[f] = p.emitFetch(f, out)
	}
	if p.printed > maxSelections {
		return nil, fmt.Errorf("plan: the operation needs more than %d fields of subgraphs: fields of interfaces must be asked of each object type alone", maxSelections)
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
	p.join(plan)
	plan.Labels = p.usedLabels()
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

// emitFetch makes a fetch; those that it waits for are made.
func (p *planning) emitFetch(f *fetch, out map[*fetch]*Fetch) *Fetch {
	made := &Fetch{
		Subgraph: p.super.Subgraphs[f.subgraph].ID, Operation: f.operation, When: f.when,
		Selection: p.rootSelections(f),
	}
	made.Contexts = p.contexts(f)
	if f.node.parent != nil {
		paths := p.paths(f.node)
		if p.variants {
			paths = p.brought(f, out).real(paths)
		}
		made.Path = paths[0].steps
		if f.inputs != nil {
			made.Inputs = p.inputs(f)
			for _, path := range paths[1:] {
				made.Places = append(made.Places, &Place{Path: path.steps, Inputs: made.Inputs})
			}
		}
	}
	p.document(made)
	return made
}

// brought are the keys that are there when the fetch is sent.
func (p *planning) brought(f *fetch, out map[*fetch]*Fetch) keys {
	brought := keys{}
	for _, before := range p.fetches {
		if before == f || !before.isBefore(f) {
			continue
		}
		made := out[before]
		brought.at(made.Path).add(made.Selection)
		for _, place := range made.Places {
			brought.at(place.Path).add(made.Selection)
		}
	}
	return brought
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
		o := &Output{Key: s.client, From: from, Name: s.name, Type: types[signature], When: when, Fields: fields, Denied: s.denied}
		if s.child != nil {
			o.Withheld = s.child.withheld
		}
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
