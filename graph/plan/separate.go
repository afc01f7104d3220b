package plan

import (
	"github.com/vektah/gqlparser/v2/ast"
)

// separate gives fields other keys where one fetch would ask for fields of
// differing shapes under one key: the client's operation is valid against the
// public types, a subgraph's own types may differ from them, and what the
// gateway adds may clash.
func (p *planning) separate() {
	for range 8 {
		changed := false
		for _, f := range p.fetches {
			changed = p.separateAt([]*place{f.place}) || changed
		}
		if !changed {
			return
		}
	}
}

// printed is one field as it will stand in the document.
type printed struct {
	entry *entry
	i     int // the object type of the fragment that it stands in; -1 on the position's own type
	typ   *ast.Type
}

func (p *planning) separateAt(places []*place) bool {
	var order []string
	byKey := map[string][]printed{}
	for _, pl := range places {
		for _, e := range pl.entries {
			if e.when.never() || e.slot.name == "__typename" && e.slot.client == "" {
				continue
			}
			if e.basic() {
				p.note(byKey, &order, e.slot.key, printed{e, -1, fieldInType(e, -1)})
				continue
			}
			for i := range pl.node.types {
				if e.types.has(i) {
					p.note(byKey, &order, e.slot.keyFor(i), printed{e, i, fieldInType(e, i)})
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
			changed = true
			s := item.entry.slot
			if item.i < 0 {
				s.key = s.holder.freeKey(s.name)
				continue
			}
			if s.keys == nil {
				s.keys = map[int]string{}
			}
			s.keys[item.i] = s.holder.freeKey(s.name)
		}
		var inner []*place
		for _, item := range kept {
			if child := item.entry.child; child != nil && (len(inner) == 0 || inner[len(inner)-1] != child) {
				inner = append(inner, child)
			}
		}
		if len(inner) > 0 {
			changed = p.separateAt(inner) || changed
		}
	}
	return changed
}

func (p *planning) note(byKey map[string][]printed, order *[]string, key string, item printed) {
	if byKey[key] == nil {
		*order = append(*order, key)
	}
	byKey[key] = append(byKey[key], item)
}

func fieldInType(e *entry, i int) *ast.Type {
	if in := e.fieldIn(i); in != nil {
		return in.Type
	}
	return nil
}

// compatible says whether two fields may stand under one key in a document
// (the specification's "Field Selection Merging").
func (p *planning) compatible(a, b printed) bool {
	if a.entry == b.entry && a.i == b.i {
		return true
	}
	sameParent := a.i < 0 || b.i < 0 || a.entry.place.node.types[a.i] == b.entry.place.node.types[b.i]
	if sameParent && (a.entry.slot.name != b.entry.slot.name || a.entry.slot.printed != b.entry.slot.printed) {
		return false
	}
	return p.sameShape(a.typ, b.typ)
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
