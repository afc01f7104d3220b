package plan

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// separate gives fields other keys where one fetch would ask for fields of
// differing shapes under one key: the client's operation is valid against the
// public types, a subgraph's own types may differ from them, and what the
// gateway adds may clash.
func (p *planning) separate() {
	for range 8 {
		changed := false
		for _, f := range p.fetches {
			changed = p.separateAt(p.roots(f)) || changed
		}
		if !changed {
			return
		}
	}
}

// printed is one field as it will stand in the document.
type printed struct {
	view  view
	entry *entry
	i     int // the object type of the fragment that it stands in; -1 on the view's own type
}

// typ is the field's type in the subgraph; nil for __typename.
func (f printed) typ() *ast.Type {
	if in := f.view.fieldIn(f.entry, f.i); in != nil {
		return in.Type
	}
	return nil
}

// separateAt looks at views that stand at one spot of the answer.
func (p *planning) separateAt(views []view) bool {
	var order []string
	byKey := map[string][]printed{}
	for _, v := range views {
		for _, e := range v.place.entries {
			if !v.asked(e) || e.slot.name == "__typename" && e.slot.client == "" {
				continue
			}
			if v.basic(e) {
				note(byKey, &order, v.key(e), printed{v, e, -1})
				continue
			}
			for i := range v.place.node.types {
				if e.types.has(i) && v.types.has(i) {
					note(byKey, &order, e.slot.keyFor(i), printed{v, e, i})
				}
			}
		}
	}
	changed := false
	for _, key := range order {
		items := byKey[key]
		kept := items[:1]
		for _, item := range items[1:] {
			if p.compatible(items[0], item) {
				kept = append(kept, item)
				continue
			}
			changed, p.variants = true, true
			item.rename()
		}
		var inner []view
		seen := map[*place]map[string]bool{}
		for _, item := range kept {
			if len(item.entry.branches) == 0 {
				continue
			}
			below := p.below(item.view, item.entry, item.i)
			name := ""
			if below.as != nil {
				name = below.as.Name
			}
			if seen[below.place] == nil {
				seen[below.place] = map[string]bool{}
			}
			if !seen[below.place][name] {
				seen[below.place][name] = true
				inner = append(inner, below)
			}
		}
		if len(inner) > 0 {
			changed = p.separateAt(inner) || changed
		}
	}
	return changed
}

// rename gives the field a key of its own.
func (f printed) rename() {
	s := f.entry.slot
	i := f.i
	if i < 0 && f.view.as.Kind == ast.Object && !f.view.object {
		i = f.view.place.node.index(f.view.as)
	}
	if i < 0 {
		s.key = s.holder.freeKey(s.name)
		return
	}
	if s.keys == nil {
		s.keys = map[int]string{}
	}
	s.keys[i] = s.holder.freeKey(s.name)
}

func note(byKey map[string][]printed, order *[]string, key string, item printed) {
	if byKey[key] == nil {
		*order = append(*order, key)
	}
	byKey[key] = append(byKey[key], item)
}

// compatible says whether two fields may stand under one key in a document
// (the specification's "Field Selection Merging").
func (p *planning) compatible(a, b printed) bool {
	if a.entry == b.entry && a.i == b.i && a.view.as == b.view.as {
		return true
	}
	sameParent := a.parent() == nil || b.parent() == nil || a.parent() == b.parent()
	if sameParent && (a.entry.slot.name != b.entry.slot.name || a.entry.slot.printed != b.entry.slot.printed) {
		return false
	}
	return p.sameShape(a.typ(), b.typ())
}

// parent is the object type on which the field is asked; nil where it is not
// asked of one alone.
func (f printed) parent() *supergraph.Type {
	switch {
	case f.i >= 0:
		return f.view.place.node.types[f.i]
	case f.view.as.Kind == ast.Object:
		return f.view.as
	}
	return nil
}

func (p *planning) sameShape(a, b *ast.Type) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.NonNull != b.NonNull || (a.Elem == nil) != (b.Elem == nil) {
		return false
	}
	if a.Elem != nil {
		return p.sameShape(a.Elem, b.Elem)
	}
	if a.NamedType == b.NamedType {
		return true
	}
	ta, tb := p.super.Type(a.NamedType), p.super.Type(b.NamedType)
	return ta != nil && tb != nil && ta.Composite() && tb.Composite()
}
