package plan

import (
	"sort"

	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// maxSelections bounds the fields and fragments of all fetches of a plan: where
// fields of an interface must be asked of each object type alone, they grow
// with each level of nesting.
const maxSelections = 100_000

var typenameSelection = &Selection{Name: "__typename", Type: typenameType}

// rootSelections prints what a fetch asks.
func (p *planning) rootSelections(f *fetch) []*Selection {
	views := p.roots(f)
	if f.inputs == nil {
		return p.selections(views[0], f.when)
	}
	list := make([]*Selection, 0, len(views))
	for _, v := range views {
		list = append(list, &Selection{On: v.as.Name, Selections: p.selections(v, f.when)})
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].On < list[j].On })
	return list
}

// selections prints a view as a selection set. Known is the condition under
// which the set is asked at all.
func (p *planning) selections(v view, known Condition) []*Selection {
	var list []*Selection
	var fragments [][]*Selection
	node := v.place.node
	for _, e := range v.place.entries {
		if !v.asked(e) {
			continue
		}
		if v.basic(e) {
			list = append(list, p.selection(v, e, -1, v.key(e), known))
			continue
		}
		if fragments == nil {
			fragments = make([][]*Selection, len(node.types))
		}
		for i := range node.types {
			if e.types.has(i) && v.types.has(i) {
				fragments[i] = append(fragments[i], p.selection(v, e, i, e.slot.keyFor(i), known))
			}
		}
	}
	start := len(list)
	for i, inner := range fragments {
		if len(inner) > 0 {
			list = append(list, &Selection{On: node.types[i].Name, Selections: inner})
		}
	}
	sort.SliceStable(list[start:], func(i, j int) bool { return list[start+i].On < list[start+j].On })
	if len(list) == 0 {
		list = []*Selection{typenameSelection}
	}
	return list
}

// selection prints one field: on the view's own type (i < 0), or for a fragment
// on the i-th object type.
func (p *planning) selection(v view, e *entry, i int, key string, known Condition) *Selection {
	s := &Selection{Name: e.slot.name, Arguments: e.slot.arguments, Type: typenameType}
	if key != s.Name {
		s.Alias = key
	}
	if !e.always {
		s.When = e.when.given(known)
	}
	var own *supergraph.Field
	if i < 0 && v.as != nil {
		own = v.as.Field(s.Name) // of an interface, more than what one member's leads to
	}
	for k, t := range e.slot.holder.types {
		if own != nil {
			s.Type = own.Definition.Type
			break
		}
		if field := t.Field(s.Name); field != nil && (k == i || i < 0 && (v.types.has(k) && e.types.has(k) || v.object)) {
			s.Type = field.Definition.Type
			break
		}
	}
	if in := v.fieldIn(e, i); in != nil && len(in.Context) > 0 {
		s.Arguments = append(s.Arguments[:len(s.Arguments):len(s.Arguments)], p.given(v.place.fetch, in)...)
	}
	if p.printed++; len(e.branches) > 0 && p.printed <= maxSelections {
		s.Selections = p.selections(p.below(v, e, i), e.when)
	}
	return s
}
