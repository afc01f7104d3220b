package plan

import (
	"fmt"
	"sort"
)

// inputs say how the representations of an entity fetch are read, object types
// with equal ones grouped.
func (p *planning) inputs(f *fetch) []*Input {
	n := f.node
	type group struct {
		types mask
		in    *input
		own   bool
		field []*InputField
	}
	var groups []*group
	byText := map[string]*group{}
	for i, t := range n.types {
		in := f.inputs[i]
		if in == nil {
			continue
		}
		g := &group{in: in, own: in.as == t}
		for _, ws := range in.keys {
			g.field = p.inputFields(g.field, ws, i, true)
		}
		for _, ws := range in.needs {
			g.field = p.inputFields(g.field, ws, i, false)
		}
		signature := fmt.Sprint(g.own, textOf(g.field))
		if !g.own {
			signature += in.as.Name
		}
		if byText[signature] == nil {
			byText[signature] = g
			groups = append(groups, g)
		}
		byText[signature].types = byText[signature].types.with(i)
		byText[signature].in.untyped = byText[signature].in.untyped || in.untyped
	}
	list := make([]*Input, 0, len(groups))
	known := f.knowsTypes()
	for _, g := range groups {
		out := &Input{Fields: g.field, Types: n.names(g.types)}
		switch {
		case !g.own && (!known || g.types.covers(n.all())):
			// One for all: what they read is the same.
			out.Typename, out.Types = g.in.as.Name, nil
			return []*Input{out}
		case !g.own:
			out.Typename = g.in.as.Name
		case g.types.count() == 1:
			out.Typename = g.in.as.Name
			if !n.abstract() {
				out.Types = nil
			}
		}
		list = append(list, out)
	}
	sort.SliceStable(list, func(i, j int) bool {
		return fmt.Sprint(list[i].Typename, list[i].Types) < fmt.Sprint(list[j].Typename, list[j].Types)
	})
	for _, g := range groups {
		if g.in.untyped && !g.own {
			// Some of the objects may come from where their type is not told.
			return append(list, &Input{Fields: g.field, Typename: g.in.as.Name})
		}
	}
	return list
}

// knowsTypes says whether the true types of the objects are told before the fetch.
func (f *fetch) knowsTypes() bool {
	for _, e := range f.node.typenames {
		if e.place.fetch != f && !e.place.fetch.when.never() && e.place.fetch.isBefore(f) {
			return true
		}
	}
	return false
}

func textOf(fields []*InputField) string {
	text := ""
	for _, f := range fields {
		text += fmt.Sprint(f.Name, ":", f.From, f.Types, f.Key, "{", textOf(f.Fields), "}")
	}
	return text
}

// inputFields adds the wants, as far as they are for the i-th object type
// (every one where i is negative).
func (p *planning) inputFields(list []*InputField, ws *wants, i int, key bool) []*InputField {
	n := ws.node
	for _, w := range ws.list {
		if i >= 0 {
			if w.types.has(i) {
				list = p.inputField(list, w, w.slot.keyFor(i), nil, key)
			}
			continue
		}
		byKey := map[string]mask{}
		var order []string
		brought := w.brought()
		for k := range n.types {
			if !w.types.has(k) || !brought.has(k) {
				continue // such an object cannot come
			}
			from := w.slot.keyFor(k)
			if byKey[from] == nil {
				order = append(order, from)
			}
			byKey[from] = byKey[from].with(k)
		}
		for _, from := range order {
			var types []string
			if !byKey[from].covers(n.all()) {
				types = n.names(byKey[from])
			}
			list = p.inputField(list, w, from, types, key)
		}
	}
	return list
}

// brought are the object types for which some fetch asks the wanted field.
func (w *want) brought() mask {
	var types mask
	for _, e := range w.supplied {
		types = types.union(e.types)
	}
	return types
}

func (p *planning) inputField(list []*InputField, w *want, from string, types []string, key bool) []*InputField {
	var field *InputField
	for _, other := range list {
		if other.Name == w.slot.name && other.From == from && fmt.Sprint(other.Types) == fmt.Sprint(types) {
			field = other
		}
	}
	if field == nil {
		field = &InputField{Name: w.slot.name, From: from, Types: types}
		list = append(list, field)
	}
	field.Key = field.Key || key
	if w.inner != nil {
		field.Fields = p.inputFields(field.Fields, w.inner, -1, key)
	}
	return list
}
